"""Label files that appear, change or vanish, each told once it rests."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

from watchfiles import watch

_STEP = 100  # milliseconds without a change that end a group of changes
_LOOK = 250  # milliseconds between two looks at the files that do not rest yet

State = tuple[int, int] | None  # size and time of change; None: there is no such file


def settled(folder: Path, rest: float, stop: Event) -> Iterator[set[Path]]:
    """Yield the files below `folder` that changed and then stayed as they were for `rest` seconds.

    A file that is written slowly is told once, when it is whole; one that vanished is told, too.
    Ends when `stop` is set.
    """
    waiting: dict[Path, tuple[State, float]] = {}
    changes = watch(
        folder,
        step=_STEP,
        rust_timeout=_LOOK,
        yield_on_timeout=True,
        stop_event=stop,
        recursive=True,
        raise_interrupt=False,
    )
    for group in changes:
        now = time.monotonic()
        for _, name in group:
            waiting[Path(name)] = (_state(Path(name)), now)
        resting = {path for path, noted in waiting.items() if now - noted[1] >= rest}
        moved = {path for path in waiting if _state(path) != waiting[path][0]}
        waiting |= {path: (_state(path), now) for path in moved}
        ready = resting - moved
        for path in ready:
            del waiting[path]
        if ready:
            yield ready


def _state(path: Path) -> State:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_size, stat.st_mtime_ns
