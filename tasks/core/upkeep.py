"""Keep a table small and quick: compact it, refresh its indices, let earlier versions go."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tasks.core import orphans, store
from tasks.core.files import remove


@dataclass(frozen=True)
class Size:
    """What a table takes on disk, and in how many pieces."""

    files: int
    mib: float
    fragments: int
    versions: int


def measure(table: Path) -> Size:
    """Return the size of `table`, all its versions together."""
    files = [path.stat().st_size for path in table.rglob("*") if path.is_file()]
    dataset = store.open_table(table)
    fragments = len(dataset.get_fragments())
    return Size(len(files), sum(files) / 2**20, fragments, len(dataset.versions()))


def compact(table: Path, from_fragments: int) -> bool:
    """Rewrite many small fragments as few; True if there were at least `from_fragments`.

    Readers stay on their version: a view's new one is theirs only after `store.publish`.
    """
    dataset = store.open_table(table)
    if len(dataset.get_fragments()) < from_fragments:
        return False
    with store.readable(table):
        dataset.optimize.compact_files()
        if dataset.describe_indices():
            dataset.optimize.optimize_indices()
    return True


def forget_versions(table: Path, keep: timedelta) -> None:
    """Remove versions older than `keep` that no tag holds, and the files that only they use.

    Files that no version knows go as well: the caller is the only writer.
    """
    with store.readable(table):
        store.open_table(table).cleanup_old_versions(
            older_than=keep, error_if_tagged_old_versions=False
        )
    orphans.sweep(table)


def forget_transforms(folder: Path, in_use: str, keep: timedelta) -> int:
    """Remove the kept transforms in `folder` older than `keep`, but not `in_use`; return how many.

    A rollback takes a removed one from DVC.
    """
    old = [
        path
        for path in (folder.iterdir() if folder.is_dir() else ())
        if path.name != in_use and time.time() - path.stat().st_mtime > keep.total_seconds()
    ]
    for path in old:
        remove(path)
    return len(old)
