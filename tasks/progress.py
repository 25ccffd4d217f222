"""Progress of long work: a bar with rate and time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress, Task
    from rich.text import Text

_EVERY = 10.0  # seconds between two lines where there is no terminal
_heard: ContextVar[Callable[[int], None]] = ContextVar("heard", default=lambda _: None)
_WINDOW = 600.0  # seconds over which the rate is taken; a chunk of long texts may take minutes


def advance(n: int) -> None:
    """Count `n` more of what the task at work does, where somebody listens in this process."""
    _heard.get()(n)


@contextmanager
def heard(by: Callable[[int], None]) -> Iterator[None]:
    """Let `by` hear what tasks count within the block."""
    before = _heard.set(by)
    try:
        yield
    finally:
        _heard.reset(before)


@contextmanager
def track(
    label: str, total: int | None, unit: str, note: Callable[[], str] = lambda: ""
) -> Iterator[Callable[[int], None]]:
    """Yield `advance(n)`; what it counts is shown on stderr. A total of None is not known yet.

    The rate is that since the first call: what this counts may have been known before.
    note: says what else is worth knowing by then, such as the cost so far.
    """
    bars, on_terminal = _bars(), sys.stderr.isatty()
    artifact = _Artifact(label, total)
    with bars if on_terminal else nullcontext():
        bar = bars.add_task(label, total=total, note="")
        lines = _Lines(bars.tasks[0], unit, note)

        def advance(n: int) -> None:
            """Count `n` more, and show it."""
            bars.advance(bar, n)
            artifact.advance(n)
            if on_terminal:
                bars.update(bar, note=note())
            else:
                lines.show()

        yield advance
    artifact.end()


def _bars() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    class Rate(TextColumn):
        """Units a second."""

        def render(self, task: Task) -> Text:
            """Return the rate since the first call, or nothing where none is known yet."""
            from rich.text import Text

            return Text(f"{task.speed:,.0f}/s" if task.speed else "")

    return Progress(
        TextColumn("{task.description:<24}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(""),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        get_time=time.monotonic,
        speed_estimate_period=_WINDOW,
    )


class _Artifact:
    """The share that is done, on the flow run's page in the Prefect UI, for longer work."""

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
    """A line about a task now and then, where there is no terminal."""

    def __init__(self, task: Task, unit: str, note: Callable[[], str]) -> None:
        self._task, self._unit, self._note = task, unit, note
        self._said = time.monotonic()

    def show(self) -> None:
        """Print a line if the last one is some time ago; the verb itself says how it ended."""
        task, now = self._task, time.monotonic()
        if now - self._said < _EVERY or task.completed == task.total:
            return
        self._said = now
        line = f"{task.description}: {task.completed:,.0f} {self._unit}, {task.speed or 0:,.0f}/s"
        if task.total is not None and task.time_remaining is not None:
            line += f", {task.time_remaining:.0f} s left of {task.total:,.0f}"
        note = self._note()
        print(f"{line}, {note}" if note else line, file=sys.stderr, flush=True)
