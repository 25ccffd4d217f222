"""Which sources have to be read again beside those that changed: an id may be in several."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from tasks.core.corpus.difference import RowsOf
from tasks.core.corpus.known_sources import that_repeat
from tasks.core.corpus.table_columns import staged_part
from tasks.core.documents.staging import id_bits, id_keys
from tasks.core.store import comparing, tables


def sharing(
    table: Path, known: pl.DataFrame, old: RowsOf, new: np.ndarray, parts: Sequence[Path]
) -> set[str]:
    """Return the sources that have an id which the changed ones have, had, or would get.

    Where there is none, a row of the changed sources is compared with others of theirs alone, and
    no verdict on a row of another source rests on them. known: the other sources; old: rows of the
    changed ones in the table; new: the `id_bits` of all their rows now, `parts` those kept.
    """
    return _with_ids(table, known, old, new) | _with_repeats(known, old, parts)


def _with_ids(table: Path, known: pl.DataFrame, old: RowsOf, new: np.ndarray) -> set[str]:
    """Return the sources of rows in the table whose id a changed source has now, and had not."""
    come = np.sort(new[~comparing.among(new, np.sort(old.ids))])
    if not len(come):
        return set()
    found: set[str] = set()
    for batch in tables.batches(table, ["id", "source"]):
        there = comparing.among(id_bits(pl.Series(batch.column("id"), dtype=pl.String)), come)
        if there.any():
            names = pl.Series(batch.column("source"), dtype=pl.String)
            found |= set(names.filter(pl.Series(there)).to_list())
    return found & set(known["name"].to_list())


def _with_repeats(known: pl.DataFrame, old: RowsOf, parts: Sequence[Path]) -> set[str]:
    """Return the sources with rows that were rejected for an id that a changed source shares."""
    if not known["repeats"].list.len().sum():
        return set()
    keys = [id_keys(staged_part(part, ["id"])["id"]) for part in parts]
    return that_repeat(known, np.concatenate([old.keys, *keys]))
