"""What the operating system has no more of: told in one line, whoever met it first."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from tasks.core.workspace.errors import InputError

P = ParamSpec("P")
R = TypeVar("R")
_ROOM, _RIGHT = "room to write", "the right to read and write"
CAUSES = {
    errno.ENOSPC: ("the disk is full", _ROOM, "free some space"),
    errno.EDQUOT: ("the quota of the disk is used up", _ROOM, "free some space, or ask for more"),
    errno.EFBIG: ("the file would grow beyond the limit", _ROOM, "raise the limit ('ulimit -f')"),
    errno.EROFS: ("the disk is mounted for reading only", _RIGHT, "mount it for writing"),
    errno.EMFILE: (
        "too many files are open",
        "some hundreds",
        "raise the limit ('ulimit -n 4096')",
    ),
    errno.ENFILE: ("too many files are open on this machine", "less", "close other programs"),
    errno.EACCES: ("permission denied", _RIGHT, "change its owner or its mode"),
    errno.EPERM: ("not permitted", _RIGHT, "change its owner or its mode"),
    errno.EIO: ("the disk does not answer as it should", _ROOM, "check the disk"),
}
"""Number of an error to what was found, what was expected, and what to do."""
PLAIN = (errno.EACCES, errno.EPERM, errno.EIO)  # their words alone prove nothing
_WORDS = {
    "disk is full": errno.ENOSPC,  # SQLite's
    **{os.strerror(code).lower(): code for code in CAUSES if code not in PLAIN},
}
_NUMBER = re.compile(r"\[?(?:os error|errno) (\d+)\b", re.IGNORECASE)  # Rust's and Python's way
_FILE = re.compile(r"""(?:^|['"\s(])(/?(?:[^\s'":,()]+/)+[^\s'":,()]+)""")
_DEEPEST = 20  # causes of causes that are looked at


def exhausted(error: BaseException) -> str | None:
    """Return one line with the file, the cause and the way on, or None for any other error.

    A refusal of our own keeps its words, unless the cause is one that they cannot know.
    """
    known = list(_chain(error))
    for one in known:
        code = _code(one)
        if code is not None and not (isinstance(error, InputError) and code in PLAIN):
            file = next((name for one in known for name in _files(one)), "the workspace")
            found, expected, cure = CAUSES[code]
            return (
                f"{file}: {found}; expected {expected}; what was whole before still is: {cure},"
                " then run the same command again"
            )
    return None


@contextmanager
def told_of(place: Path) -> Iterator[None]:
    """Let an error by a full disk and its like be an OSError that names `place`."""
    try:
        yield
    except Exception as error:
        code = _code(error)
        if code is None or getattr(error, "filename", None) is not None:
            raise
        raise OSError(code, os.strerror(code), str(place)) from error


def naming_table(write: Callable[Concatenate[Path, P], R]) -> Callable[Concatenate[Path, P], R]:
    """Let a write that finds no room on the disk name its table."""

    @wraps(write)
    def named(table: Path, /, *arguments: P.args, **options: P.kwargs) -> R:
        with told_of(table):
            return write(table, *arguments, **options)

    return named


def unwritable(folder: Path, room: int = 1 << 18) -> str | None:
    """Return a line that says so where `folder` has no room for `room` bytes, or None."""
    probe = folder / ".probe.tmp"
    try:
        with probe.open("wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, room)
            else:
                file.write(bytes(room))
    except OSError as error:
        error.filename = str(folder)
        return exhausted(error)
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    todo, seen = [error], 0
    while todo and seen < _DEEPEST:
        one = todo.pop(0)
        seen += 1
        yield one
        if isinstance(one, BaseExceptionGroup):
            todo += one.exceptions
        before = None if one.__suppress_context__ else one.__context__
        todo += [more for more in (one.__cause__, before) if more is not None]


def _code(error: BaseException) -> int | None:
    """Return the number of the cause, told by the error itself or by its words."""
    if isinstance(error, OSError) and error.errno in CAUSES:
        return error.errno
    said = str(error).lower()
    number = _NUMBER.search(said)
    if number is not None and int(number[1]) in CAUSES:
        return int(number[1])
    return next((code for words, code in _WORDS.items() if words in said), None)


def _files(error: BaseException) -> Iterator[str]:
    """Yield the files that an error names; of those in its words, what is on this machine."""
    name = getattr(error, "filename", None)
    if isinstance(name, str | bytes | os.PathLike):
        yield os.fsdecode(name)
    for found in _FILE.findall(str(error)):
        if Path(found).parent.is_dir():
            yield found
