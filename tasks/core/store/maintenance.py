"""Keep a table small and quick: compact it, let earlier versions and transforms go."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tasks.core.remote.driving import driving
from tasks.core.store import orphans, tables
from tasks.core.workspace.files import remove


@dataclass(frozen=True)
class Size:
    """What a table takes on disk, and in how many pieces."""

    files: int
    mib: float
    fragments: int
    versions: int


def measure(table: Path) -> Size:
    """Return the size of `table`, all its versions together."""
    dataset = tables.open_table(table)
    with tables.readable(table):
        sizes = dataset.all_files().read_all()["size_bytes"].to_pylist()
        fragments, versions = len(dataset.get_fragments()), len(dataset.versions())
    return Size(len(sizes), sum(sizes) / 2**20, fragments, versions)


def compact(table: Path, from_fragments: int) -> bool:
    """Rewrite many small fragments as few; True if there were at least `from_fragments`.

    Readers stay on their version: a view's new one is theirs only after `store.publish`.
    """
    dataset = tables.open_table(table)
    if len(dataset.get_fragments()) < from_fragments:
        return False
    with tables.readable(table), driving(table):
        dataset.optimize.compact_files()
    return True


def forget_versions(table: Path, keep: timedelta) -> None:
    """Remove versions older than `keep` that no tag holds, and the files that only they use.

    Files that no version knows go as well: the caller is the only writer. In a store they stay for
    seven days, as another writer may be at work there, though none should be.
    """
    with tables.readable(table):
        tables.open_table(table).cleanup_old_versions(
            older_than=keep, error_if_tagged_old_versions=False
        )
    orphans.sweep(table)


def bound_versions(table: Path, keep: int) -> None:
    """Remove versions but for the newest `keep` and those that a tag holds."""
    with tables.readable(table):
        dataset = tables.open_table(table)
        if len(dataset.versions()) > keep:
            dataset.cleanup_old_versions(retain_versions=keep, error_if_tagged_old_versions=False)


def forget_transforms(folder: Path, in_use: str, keep: timedelta) -> int:
    """Remove the kept transforms in `folder` older than `keep`, but not `in_use`; return how many.

    A rollback takes a removed one from DVC.
    """
    now = time.time()
    return _remove(
        path for path, made in _kept(folder, in_use) if now - made > keep.total_seconds()
    )


def bound_transforms(folder: Path, in_use: str, keep: int) -> int:
    """Remove the kept transforms in `folder` but for `in_use` and the newest; `keep` in all."""
    others = sorted(_kept(folder, in_use), key=lambda each: each[1], reverse=True)
    return _remove(path for path, _ in others[keep - 1 :])


def _kept(folder: Path, in_use: str) -> list[tuple[Path, float]]:
    """Return the kept transforms that are not in use, and when each was made."""
    there = folder.iterdir() if folder.is_dir() else ()
    return [(path, path.stat().st_mtime) for path in there if path.name != in_use]


def _remove(paths: Iterable[Path]) -> int:
    gone = list(paths)
    for path in gone:
        remove(path)
    return len(gone)
