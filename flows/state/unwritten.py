"""What killed writers have left in the tables' folders, and no version names."""

from __future__ import annotations

import shutil
from pathlib import Path

from tasks.core.store import checkpoints, layout, orphans
from tasks.core.workspace.instruction_name import NAME
from tasks.core.workspace.paths import Paths


def sweep_unfinished(paths: Paths) -> None:
    """Sweep every table whose last write did not end; the caller holds the write lock.

    A rebuild that was begun goes on from its checkpoints, so these stay.
    """
    for folder, table in _writes(paths):
        if checkpoints.begun(folder) and not (folder / checkpoints.REBUILD).is_file():
            sweep(table)
            checkpoints.clear(folder)
    staged = layout.staging(paths.corpus_table)
    if staged.is_dir():  # an ingest was killed, and its documents are again as they were
        sweep(paths.corpus_table)
        shutil.rmtree(staged)


def sweep(table: Path) -> None:
    """Remove what no version of `table` names, if there is such a table."""
    if layout.exists(table):
        orphans.sweep(table)


def _writes(paths: Paths) -> list[tuple[Path, Path]]:
    """Return where each verb at work notes what it writes, and the table."""
    views = paths.shards("materialise")
    names = [folder.name for folder in views.iterdir()] if views.is_dir() else []
    found = [(views / name, paths.view_table(name)) for name in names if NAME.fullmatch(name)]
    return [(paths.shards("embed"), paths.base_table), *found]
