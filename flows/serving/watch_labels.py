"""Label files that appear, change or vanish, each told once it rests.

What the system tells of a folder only says when to look: what has changed is found by comparing
two looks. So nothing that happens there can end the watch, and nothing that is not told is missed.
Whether a view has to be fitted anew is not decided here: see `flows.state.label_changes`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from watchfiles import watch

_STEP = 100  # milliseconds without a change that end a group of changes
_LOOK = 250  # milliseconds between two looks at files that do not rest yet
_PAUSE = 1.0  # seconds until a watch that was refused is tried again
_EVEN_SO = 5.0  # seconds between two looks where nothing is told: targets of links, network drives

State = tuple[int, ...]  # which file it is, its size and time of change


@dataclass(frozen=True)
class Sight:
    """What lies in a folder and in the folders within it, but no deeper: labels are no deeper."""

    files: dict[Path, State]
    folders: dict[Path, State]


def settled(folder: Path, rest: float, stop: Event) -> Iterator[set[Path]]:
    """Yield the files below `folder` that changed and then stayed as they were for `rest` seconds.

    A file that is written slowly is told once, when it is whole; one that vanished is told, too.
    The folder itself may vanish and return. Ends when `stop` is set.
    """
    known = look(folder)
    since: dict[Path, float] = {}
    due = time.monotonic() + _EVEN_SO
    for told in _notices(folder, stop):
        now = time.monotonic()
        if not (told or since or now >= due):
            continue
        due = now + _EVEN_SO
        seen = look(folder, known)
        since |= dict.fromkeys(_changed(known, seen), now)
        known = seen
        ready = {path for path, moved in since.items() if now - moved >= rest}
        for path in ready:
            del since[path]
        if ready:
            yield ready


def look(folder: Path, before: Sight | None = None) -> Sight:
    """Return what there is; of a folder that cannot be listed just now, what was there before."""
    sight = Sight({}, {})
    _add(folder, sight, before, nested=True)
    return sight


def _add(folder: Path, sight: Sight, before: Sight | None, *, nested: bool) -> None:
    try:
        sight.folders[folder] = _state(folder.stat())
        with os.scandir(folder) as entries:
            for entry in entries:
                path = Path(entry.path)
                if not _is_folder(entry):
                    sight.files[path] = _state_of(entry)
                elif nested and not (path.suffix or path.name.startswith(".")):
                    _add(path, sight, before, nested=False)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError:  # not allowed, or a drive that does not answer: nobody has removed anything
        if before is not None:
            sight.files.update({p: s for p, s in before.files.items() if folder in p.parents})


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _state_of(entry: os.DirEntry[str]) -> State:
    try:
        return _state(entry.stat())
    except OSError:  # a link to nothing, or to itself
        return ()


def _state(stat: os.stat_result) -> State:
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns


def _changed(before: Sight, now: Sight) -> set[Path]:
    both = before.files.keys() | now.files.keys()
    return {path for path in both if before.files.get(path) != now.files.get(path)}


def _notices(folder: Path, stop: Event) -> Iterator[bool]:
    """Yield every `_LOOK` milliseconds, or sooner, whether the system has told of a change.

    Each folder is watched by itself: below a link there may be a whole drive, or a loop. Where one
    has come, gone or been replaced, the watch begins anew.
    """
    while not stop.is_set():
        folders = look(folder).folders
        try:
            if folders:
                yield from _told(folder, folders, stop)
        except (OSError, RuntimeError, ValueError):  # gone, too many, or a name in no encoding
            stop.wait(_PAUSE)
        stop.wait(_LOOK / 1000)
        yield True


def _told(folder: Path, folders: dict[Path, State], stop: Event) -> Iterator[bool]:
    """Yield whether anything changed, until there are other folders than these."""
    watched = {str(path) for path in folders}
    due = time.monotonic() + _EVEN_SO
    for group in watch(
        *folders,
        watch_filter=None,
        step=_STEP,
        rust_timeout=_LOOK,
        yield_on_timeout=True,
        stop_event=stop,
        recursive=False,
        raise_interrupt=False,
        ignore_permission_denied=True,
    ):
        yield bool(group)
        if any(name in watched or Path(name).is_dir() for _, name in group):
            return
        if time.monotonic() >= due:
            due = time.monotonic() + _EVEN_SO
            if _which(look(folder).folders) != _which(folders):
                return


def _which(folders: dict[Path, State]) -> dict[Path, State]:
    return {path: state[:2] for path, state in folders.items()}
