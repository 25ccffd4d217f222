"""Whether a file system can hold tables: Lance commits each version by a hard link."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from tasks.core.workspace.errors import InputError


def check_hard_links(folder: Path) -> None:
    """Refuse a folder where no file can be linked, before hours of encoding are lost there."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".link.", dir=folder) as name:
        first = Path(name, "a")
        first.touch()
        try:
            os.link(first, Path(name, "b"))
        except OSError as error:
            raise InputError(
                f"{folder}: found a file system without hard links ({error.strerror}); expected"
                " one that has them, as tables are committed by them (exFAT, buckets and some"
                " network drives have none); move the workspace to a local disk"
            ) from error


def link_folder(source: Path, copy: Path) -> None:
    """Make `copy` hold what the folder `source` holds, by hard links: no bytes move.

    For files that nobody changes in place; small notes, which are, become files of their own.
    """
    shutil.copytree(source, copy, copy_function=_link, ignore=shutil.ignore_patterns("*.tmp"))


def _link(source: str, copy: str) -> None:
    if not source.endswith(".json"):
        try:
            os.link(os.path.realpath(source), copy)
        except OSError:  # DVC may have laid a link to a cache on another disk
            pass
        else:
            return
    shutil.copy2(source, copy)
