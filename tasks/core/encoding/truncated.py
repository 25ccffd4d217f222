"""Which texts of a base table were cut, or read by several windows: a list of hashes of each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from tasks.core.store import arrow, comparing, tables
from tasks.core.workspace.files import replacing

_PART = 65_536  # texts whose hashes are Python objects at a time


def add(file: Path, text_hashes: Sequence[str], *, fresh: bool) -> None:
    """Note these texts in a list; call it before their rows are committed.

    fresh: begin the list of a new table. To a table without a list, one made before there were
    any, nothing is added: how many of its texts belong there is not known.
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
    """Return how many texts of the table are in a list, each once; None where nobody knows."""
    if not file.is_file():
        return None
    cut = _hashes(file)
    found = np.zeros(len(cut), bool)
    for batch in tables.batches(table, ["text_hash"]) if len(cut) else ():
        texts = arrow.hash64(batch.column("text_hash"))
        found[np.searchsorted(cut, texts[comparing.among(texts, cut)])] = True
    return int(found.sum())


def _hashes(file: Path) -> np.ndarray:
    """Return 64 bits of the hash of each text in the list, ascending: 8 bytes a text."""
    cut = np.load(file, mmap_mode="r", allow_pickle=False)
    parts = (cut[start : start + _PART].astype("U").tolist() for start in range(0, len(cut), _PART))
    hashes = [arrow.hash64(pa.array(part, pa.string())) for part in parts]
    return np.unique(np.concatenate([np.empty(0, np.uint64), *hashes]))
