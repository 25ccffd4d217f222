"""The engine of several processes or machines: pieces are tasks of Prefect on a Dask cluster."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self

from distributed import CancelledError, KilledWorker
from distributed.comm import CommClosedError
from prefect_dask import DaskTaskRunner

from flows.engine import reach
from flows.engine.local_cluster import local_cluster
from flows.engine.piece import Advance, Piece, Result
from tasks.core.settings.running_sections import EngineSettings
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths
from tasks.signs import sign

_A_WORKER = 2  # pieces in flight for each: one at work, one that waits
_LOOK = 5.0  # seconds between two looks whether a worker is there
_ALONE = 120.0  # seconds without one, in which those of this machine have long started again


@dataclass
class _Sent:
    """A piece in flight, and how often its worker has died."""

    task: Any
    piece: Piece
    future: Any
    deaths: int = 0


@contextmanager
def _there(*signs: type[Exception]) -> Iterator[None]:
    """Say in one line that the scheduler is no longer there, as its `signs` and others tell."""
    known: tuple[type[BaseException], ...] = (CancelledError, CommClosedError, *signs)
    try:
        yield
    except known as error:
        raise InputError(
            "engine: the Dask scheduler went away, expected it to stay; what was committed is kept;"
            " start it, and run again"
        ) from error


class OnDask:
    """Hands out pieces to workers, two for each at a time; a piece whose worker dies goes again."""

    apart = True

    def __init__(self, paths: Paths, settings: EngineSettings) -> None:
        self._paths, self._settings = paths, settings
        self._open = ExitStack()
        self._runner: DaskTaskRunner | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._runner = None
        self._open.__exit__(kind, error, trace)

    def run(
        self, task: Any, pieces: Iterable[Piece], advance: Advance
    ) -> Iterator[tuple[Piece, Result]]:
        """Yield each piece, in its order; it counts when it is finished.

        A result is InputError where the workers of its piece died again and again, or the
        scheduler went.
        """
        waiting: deque[_Sent] = deque()
        rest = iter(pieces)
        try:
            while True:
                while len(waiting) < self._window():
                    piece = next(rest, None)
                    if piece is None:
                        break
                    waiting.append(_Sent(task, piece, self._submit(task, piece)))
                if not waiting:
                    return
                sent = waiting.popleft()
                yield sent.piece, partial(self._result, sent, advance)
        finally:
            for sent in waiting:
                sent.future.wrapped_future.cancel()

    def _window(self) -> int:
        client = self._started().client
        with _there(OSError):  # nobody answers any more
            return _A_WORKER * max(1, len(client.nthreads()))

    def _submit(self, task: Any, piece: Piece) -> Any:
        with _there():
            return self._started().submit(task, parameters=piece.arguments)

    def _result(self, sent: _Sent, advance: Advance) -> Any:
        try:
            while True:
                try:
                    with _there():
                        return self._finished(sent)
                except KilledWorker as error:
                    self._send_again(sent, error)
        finally:
            sent.future.wrapped_future.release()  # or it is computed again when a worker dies
            advance(sent.piece.counts)

    def _finished(self, sent: _Sent) -> Any:
        """Return the result; InputError where all workers of this machine are gone for good."""
        seen = time.monotonic()
        while True:
            try:
                return sent.future.result(timeout=_LOOK)
            except TimeoutError:
                if sent.future.wrapped_future.done():
                    return sent.future.result()
            if self._started().client.nthreads():
                seen = time.monotonic()
            elif self._settings.address is None and time.monotonic() - seen > _ALONE:
                raise InputError(
                    f"engine: {sent.piece.named()}: no worker is there any more, expected"
                    f" {self._settings.workers} to start again; what was committed before is kept;"
                    " most often there is too little memory: set fewer engine.workers, and run"
                    " again"
                )

    def _send_again(self, sent: _Sent, error: KilledWorker) -> None:
        sent.deaths += 1 + error.allowed_failures  # a scheduler elsewhere sends it again itself
        most = self._settings.resubmit
        if sent.deaths > most:
            raise InputError(
                f"engine: {sent.piece.named()}: its worker died {sent.deaths} times, expected it"
                " to end; what was committed before is kept; most often a worker has too little"
                " memory: set fewer engine.workers, or a smaller chunk, and run again"
            ) from error
        print(
            f"{sent.piece.named()}: its worker died; sent again ({sent.deaths} of {most})",
            file=sys.stderr,
            flush=True,
        )
        sent.future.wrapped_future.release()
        sent.future = self._submit(sent.task, sent.piece)

    def _started(self) -> DaskTaskRunner:
        """Return the workers; the first time they are started, or found and looked at."""
        if self._runner is None:
            address = self._settings.address
            url = reach.check_server(address)
            if address is None:
                sign("starting workers")
                runner = DaskTaskRunner(
                    cluster=self._open.enter_context(local_cluster(self._settings.workers))
                )
            else:
                runner = DaskTaskRunner(address=address, client_kwargs={"timeout": reach.WAIT})
            self._open.enter_context(runner)
            if address is not None:
                reach.check_workers(runner, address, self._paths.root, url)
            self._runner = runner
        return self._runner
