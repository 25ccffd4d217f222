"""An earlier version laid out beside the workspace: git's files, and DVC's as links."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.versioning.checkout import cache_of, lay_out
from tasks.versioning.dvc_notes import Wanted
from tasks.versioning.run_git_and_dvc import RepoLocation, git


@contextmanager
def laid_out(
    place: RepoLocation,
    root: Path,
    scratch: Path,
    commit: str,
    wanted: Wanted,
    remote: str | None,
) -> Iterator[Path]:
    """Yield the root of the workspace as it was at `commit`, with what is `wanted`; read only.

    It is a worktree of git that shares the cache of DVC, so it costs links and no copy; it is
    removed afterwards, and what a kill left of an earlier one as well.
    """
    top = (scratch / commit).resolve()
    _remove(place, top)
    try:
        git(place.top, "worktree", "add", "--quiet", "--detach", str(top), commit)
        then = top / place.prefix
        own = root / ".dvc" / "config.local"
        if own.is_file():  # where remotes keep their credentials
            shutil.copyfile(own, then / ".dvc" / "config.local")
        lay_out(then, remote, wanted, cache_of(root))
        yield then
    finally:
        _remove(place, top)


def _remove(place: RepoLocation, top: Path) -> None:
    shutil.rmtree(top, ignore_errors=True)
    git(place.top, "worktree", "prune")
