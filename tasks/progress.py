"""Progress of long work: a bar with rate and time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_EVERY = 10.0  # seconds between two lines where there is no terminal


@contextmanager
def track(
    label: str, total: int | None, unit: str, note: Callable[[], str] = lambda: ""
) -> Iterator[Callable[[int], None]]:
    """Yield `advance(n)`; what it counts is shown on stderr. A total of None is not known yet.

    note: says what else is worth knowing by then, such as the cost so far.
    """
    artifact = _Artifact(label, total)
    if sys.stderr.isatty():
        with _bar(label, total, note) as advance:
            yield _both(advance, artifact.advance)
    else:
        yield _both(_Lines(label, total, unit, note).advance, artifact.advance)
    artifact.end()


def _both(first: Callable[[int], None], second: Callable[[int], None]) -> Callable[[int], None]:
    def advance(n: int) -> None:
        """Tell both."""
        first(n)
        second(n)

    return advance


@contextmanager
def _bar(label: str, total: int | None, note: Callable[[], str]) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description:<24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:>10}"),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
    )
    speed = _Speed()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(label, total=total, rate="", note="")

        def advance(n: int) -> None:
            """Move the bar on by `n`, and show the rate."""
            if speed.begun is None:
                progress.reset(bar, completed=n)  # its time left is not to count these either
            else:
                progress.advance(bar, n)
            rate = speed.after(n)
            progress.update(bar, rate=f"{rate:,.0f}/s" if rate else "", note=note())

        yield advance


class _Speed:
    """Units a second, from the first call on: what that counts may have been known before."""

    def __init__(self) -> None:
        self.begun: float | None = None
        self._done = 0

    def after(self, n: int) -> float:
        """Count `n` more; return the rate, 0 where none is known yet."""
        now = time.monotonic()
        if self.begun is None:
            self.begun = now
            return 0.0
        self._done += n
        return self._done / max(now - self.begun, 1e-9)


class _Artifact:
    """The same on the flow run's page in the Prefect UI, where the work takes longer."""

    def __init__(self, label: str, total: int | None) -> None:
        self._label, self._total = label, total
        self._done = 0
        self._said = time.monotonic()
        self._id: Any = None

    def advance(self, n: int) -> None:
        """Count `n` more, and tell Prefect of it now and then."""
        self._done += n
        if self._total and time.monotonic() - self._said >= _EVERY:
            self._tell(min(100.0, 100 * self._done / self._total))

    def end(self) -> None:
        """Tell Prefect that all is done, if it was told that it began."""
        if self._id is not None:
            self._tell(100.0)

    def _tell(self, percent: float) -> None:
        from prefect.artifacts import create_progress_artifact, update_progress_artifact

        self._said = time.monotonic()
        if self._id is None:
            key = "progress-" + self._label.replace(" ", "-").replace("_", "-")
            self._id = create_progress_artifact(percent, key=key, description=self._label)
        else:
            update_progress_artifact(self._id, percent)


class _Lines:
    def __init__(self, label: str, total: int | None, unit: str, note: Callable[[], str]) -> None:
        self._label, self._total, self._unit, self._note = label, total, unit, note
        self._done = 0
        self._speed = _Speed()
        self._said = time.monotonic()

    def advance(self, n: int) -> None:
        """Count `n` more, and print a line now and then."""
        self._done += n
        rate = self._speed.after(n)
        now = time.monotonic()
        if now - self._said < _EVERY or self._done == self._total:
            return  # the verb itself says how it ended
        self._said = now
        line = f"{self._label}: {self._done:,} {self._unit}, {rate:,.0f}/s"
        if self._total is not None and rate:
            left = (self._total - self._done) / rate
            line += f", {left:.0f} s left of {self._total:,}"
        note = self._note()
        print(f"{line}, {note}" if note else line, file=sys.stderr, flush=True)
