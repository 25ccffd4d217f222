"""Which texts of a base table are longer than the encoder reads, by the hash of the text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from tasks.core.store import arrow, tables
from tasks.core.workspace.files import replacing


def add(file: Path, text_hashes: Sequence[str], *, fresh: bool) -> None:
    """Note that these texts were cut; call it before their rows are committed.

    fresh: begin the list of a new table. To a table without a list, one made before there were
    any, nothing is added: how many of its texts were cut is not known.
    """
    if not fresh and not file.is_file():
        return
    cut = np.array(text_hashes, "S")
    known = np.load(file, allow_pickle=False) if not fresh else cut[:0]
    both = np.union1d(known, cut)
    if not fresh and len(both) == len(known):
        return  # the file may be a link into DVC's cache, and stays one
    with replacing(file) as out:
        np.save(out, both, allow_pickle=False)


def total(file: Path, table: Path) -> int | None:
    """Return how many texts of the table were cut, each once; None where nobody knows."""
    if not file.is_file():
        return None
    cut = arrow.hash64(
        pa.array(np.load(file, allow_pickle=False).astype("U").tolist(), pa.string())
    )
    return int(np.isin(np.unique(tables.hashes(table, "text_hash")), cut).sum())
