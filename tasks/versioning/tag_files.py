"""Whether the tags of a view may be others than before, by the files that git keeps them in.

To ask git takes a process or three; to look at these files takes microseconds.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

_SHARED = ("packed-refs", "reftable/tables.list")  # replaced as a whole where a tag in them changes
_ELSEWHERE = ("GIT_DIR", "GIT_COMMON_DIR", "GIT_WORK_TREE")


class TagFiles:
    """Where git keeps the tags of the workspace at `root`, as it is when this is made."""

    def __init__(self, root: Path) -> None:
        self._tags: Path | None = None
        self._shared: tuple[object, ...] = ()
        top = root.resolve()
        for folder in (top, *top.parents):
            if (folder / ".git").exists():
                place = _common(folder / ".git")
                self._tags = place / "refs" / "tags" / top.relative_to(folder) / "view"
                self._shared = (place, *(_state(place / name) for name in _SHARED))
                break

    def state(self, view: str) -> tuple[object, ...]:
        """Return what is another whenever a tag of `view` was set, moved or removed.

        Also where a repository appears or vanishes; always, where the environment names one.
        """
        if any(name in os.environ for name in _ELSEWHERE):
            return (time.monotonic_ns(),)
        if self._tags is None:
            return ()
        folder = self._tags / view
        names: list[str] = []
        with suppress(FileNotFoundError, NotADirectoryError):  # no tag, or packed with the others
            names = sorted(path.name for path in folder.iterdir())
        return *self._shared, _state(folder), *names


def _common(git: Path) -> Path:
    """Return the folder of a repository that its worktrees share, by what `.git` is."""
    if git.is_file():
        git = git.parent / os.fsdecode(git.read_bytes()).removeprefix("gitdir:").strip()
    link = git / "commondir"
    return git / os.fsdecode(link.read_bytes()).strip() if link.is_file() else git


def _state(path: Path) -> tuple[int, ...] | None:
    try:
        about = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return about.st_ino, about.st_size, about.st_mtime_ns
