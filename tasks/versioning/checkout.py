"""One state of git and DVC exchanged for another, and what would be lost by it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from tasks.core.workspace.errors import InputError
from tasks.versioning.dvc_notes import Wanted
from tasks.versioning.dvc_objects import lists_are_there
from tasks.versioning.links import refuse_links
from tasks.versioning.run_git_and_dvc import (
    UNKNOWN,
    RepoLocation,
    RepositoryError,
    dvc,
    dvc_in_turn,
    git,
    git_answer,
    git_status,
)


def unrecorded_in_git(root: Path, place: RepoLocation, watched: str, but: str) -> list[str]:
    """Return what git has not committed below the workspace: changes, and new files in `watched`.

    Other untracked files stay where they are in a checkout, as git leaves them, and so do those
    in `but`.
    """
    within, apart = f"{place.name(watched)}/", f"{place.name(but)}/"
    return [
        path.removeprefix(place.prefix)
        for state, path in git_status(root, ["."])
        if state != UNKNOWN or (path.startswith(within) and not path.startswith(apart))
    ]


def unrecorded_in_dvc(root: Path, targets: tuple[str, ...]) -> list[str]:
    """Return the outputs among `targets` that are there, but not as DVC has recorded them."""
    if not targets:
        return []
    status = json.loads(dvc(root, "status", "--json", *targets) or "{}")
    lost = set()
    for part in _parts(status):
        for path, state in part.get("changed outs", {}).items():
            if state != "deleted" and (root / path).exists():
                lost.add(path)
    return sorted(lost)


def _parts(status: dict[str, list[object]]) -> Iterator[dict[str, dict[str, str]]]:
    for changes in status.values():
        yield from (change for change in changes if isinstance(change, dict))


def branch(root: Path) -> str | None:
    """Return the branch that HEAD is on, or None where it is detached."""
    return git_answer(root, "symbolic-ref", "--quiet", "--short", "HEAD")


def is_branch(root: Path, name: str) -> bool:
    """Tell whether git has a branch of this name."""
    ref = f"refs/heads/{name}"
    return git_answer(root, "show-ref", "--verify", "--quiet", ref) is not None


def switch(root: Path, rev: str) -> None:
    """Let git lay out its files of `rev`; a branch stays a branch. InputError for an option."""
    if rev.startswith("-"):
        raise InputError(f"revision {rev[:80]!r}: found an option of git; expected a revision")
    git(root, "checkout", "--quiet", rev, "--")


def cache_of(root: Path) -> Path:
    """Return the folder of DVC's cache."""
    return (root / dvc(root, "cache", "dir").strip()).resolve()


def lay_out(root: Path, remote: str | None, wanted: Wanted, shared: Path | None = None) -> bool:
    """Let DVC link what is `wanted` from the cache; tell whether some had to be fetched first.

    shared: the cache of another workspace, which is that of `root` from here on. InputError where
    something would be written through a link, or outside of its folder.
    """
    if not wanted.targets:
        return False
    cache = shared or cache_of(root)
    share = [] if shared is None else [("config", "--local", "cache.dir", str(shared))]
    link = ("checkout", *wanted.targets)
    refuse_links(root, wanted.targets, cache)
    lacking = RepositoryError("dvc checkout: the cache lacks some of it")
    if lists_are_there(cache, wanted.digests):
        try:
            dvc_in_turn(root, *share, link)
        except RepositoryError as error:
            lacking = error
        else:
            return False
    try:
        fetch = ("fetch", *([] if remote is None else ["--remote", remote]), *wanted.targets)
        dvc_in_turn(root, *share, fetch)
        if lists_are_there(cache, wanted.digests):
            dvc_in_turn(root, link)
            return True
    except RepositoryError as error:
        raise RepositoryError(f"{lacking}; {error}") from error
    raise lacking


def make_own(folder: Path, scratch: Path) -> int:
    """Turn links into the cache into files of the workspace's own; return how many.

    What is appended to a hardlink would be appended to every version that shares it. A file is
    copied to `scratch` first, so that a kill leaves no half of one among the documents.
    """
    made = 0
    cache = cache_of(folder) if folder.is_dir() else folder
    for path in folder.rglob("*"):
        if path.is_symlink() and cache not in path.resolve().parents:
            continue  # not DVC's: what it leads to is none of the workspace's
        if path.is_symlink() or (path.is_file() and path.stat().st_nlink > 1):
            temporary = scratch / "own.tmp"
            temporary.unlink(missing_ok=True)
            shutil.copyfile(path, temporary)
            temporary.replace(path)
            made += 1
        elif path.is_file() and not path.stat().st_mode & 0o200:
            path.chmod(path.stat().st_mode | 0o200)
    return made
