"""One state of git and DVC exchanged for another, and what would be lost by it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from tasks.repository import Place, RepositoryError, dvc, git, git_answer


def unrecorded_in_git(root: Path, place: Place, watched: str, but: str) -> list[str]:
    """Return what git has not committed below the workspace: changes, and new files in `watched`.

    Other untracked files stay where they are in a checkout, as git leaves them, and so do those
    in `but`.
    """
    said = git(
        root, "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--", "."
    )
    rows = [(row[:2], row[3:]) for row in said.split("\0") if row]
    within, apart = f"{place.name(watched)}/", f"{place.name(but)}/"
    return [
        path.removeprefix(place.prefix)
        for state, path in rows
        if state != "??" or (path.startswith(within) and not path.startswith(apart))
    ]


def unrecorded_in_dvc(root: Path) -> list[str]:
    """Return the outputs that are there, but not as DVC has recorded them."""
    status = json.loads(dvc(root, "status", "--json") or "{}")
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


def switch(root: Path, rev: str) -> None:
    """Let git lay out its files of `rev`; a branch stays a branch."""
    git(root, "checkout", "--quiet", rev, "--")


def lay_out(root: Path, remote: str | None, targets: tuple[str, ...] = ()) -> bool:
    """Let DVC link its files from the cache; tell whether some had to be fetched first."""
    try:
        dvc(root, "checkout", *targets)
    except RepositoryError as lacking:
        try:
            dvc(root, "fetch", *([] if remote is None else ["--remote", remote]), *targets)
            dvc(root, "checkout", *targets)
        except RepositoryError as error:
            raise RepositoryError(f"{lacking}; {error}") from error
        return True
    return False


def make_own(folder: Path, scratch: Path) -> int:
    """Turn links into the cache into files of the workspace's own; return how many.

    What is appended to a hardlink would be appended to every version that shares it. A file is
    copied to `scratch` first, so that a kill leaves no half of one among the documents.
    """
    made = 0
    for path in folder.rglob("*"):
        if path.is_symlink() or (path.is_file() and path.stat().st_nlink > 1):
            temporary = scratch / "own.tmp"
            temporary.unlink(missing_ok=True)
            shutil.copyfile(path, temporary)
            temporary.replace(path)
            made += 1
        elif path.is_file() and not path.stat().st_mode & 0o200:
            path.chmod(path.stat().st_mode | 0o200)
    return made
