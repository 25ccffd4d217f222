"""The rows of a table in the order of their ids: the same for every view of a corpus."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from tasks.core.store import arrow, tables
from tasks.core.views.transforming import Vectors
from tasks.core.workspace.files import content_hash

FEW = 0.02  # of the rows: so many are looked up, of more the whole table is read
_SCHEMA = {"id": pl.String, "row": pl.UInt32, "hash": pl.UInt64}
STORED = Vectors()
_READ = 8_192  # rows of vectors in memory at a time: 6 MB at 384 dimensions


@dataclass(frozen=True)
class Rows:
    """n rows by id, of `total` in the table.

    ids: (n,), ascending; row: where each is in the table; hashes: of its content, 64 bits.
    """

    ids: pa.Array
    row: NDArray[np.uint32]
    hashes: NDArray[np.uint64]
    total: int

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def keys(self) -> NDArray[np.uint64]:
        """The 64-bit hash of each id."""
        found: NDArray[np.uint64] = arrow.hash64(self.ids)
        return found

    @cached_property
    def corpus(self) -> str:
        """A fingerprint: where it is the same, the same ids come in the same order."""
        return content_hash(self.keys.tobytes())


def rows_of(table: Path, version: int, most: int | None) -> Rows:
    """Return the rows of a table; of more than `most` those whose ids have the smallest hashes."""
    total = tables.count(table, version)
    last: Any = None
    if most is not None and total > most:
        last = np.partition(tables.hashes(table, "id", version), most - 1)[most - 1]
    parts, at = [pl.DataFrame(schema=_SCHEMA)], 0
    for batch in tables.batches(table, ["id", "row_hash"], version=version):
        ids = pl.Series("id", batch.column("id"), pl.String)
        part = pl.DataFrame(
            {
                "id": ids,
                "row": pl.Series(np.arange(at, at + len(ids), dtype=np.uint32)),
                "hash": arrow.hash64(batch.column("row_hash")),
            }
        )
        at += len(ids)
        parts.append(part if last is None else part.filter(ids.hash(seed=0) <= int(last)))
    found = pl.concat(parts).sort("id")
    ids = found["id"].to_arrow(compat_level=pl.CompatLevel.oldest())
    return Rows(ids.cast(pa.string()), found["row"].to_numpy(), found["hash"].to_numpy(), total)


def vectors_at(
    table: Path, version: int, row: NDArray[np.uint32], read: Vectors = STORED
) -> NDArray[Any]:
    """Return the vectors (n, d) of the rows at these positions in the table, in their order."""
    order = np.argsort(row)
    found = tables.take(table, row[order].astype(np.int64), read.names, version)
    parts = found.combine_chunks().to_batches(max_chunksize=_READ)
    vectors = np.concatenate([read.of(part) for part in parts])
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return vectors[back]


def vectors_in_turn(
    table: Path, version: int, row: NDArray[np.uint32], total: int, read: Vectors = STORED
) -> Any:
    """Stream (which, vectors) of the rows at these positions: which (m,) of them, and (m, d)."""
    order = np.argsort(row)
    if len(row) <= FEW * total:
        for at in range(0, len(row), _READ):
            part = order[at : at + _READ]
            yield part, vectors_at(table, version, row[part], read)
        return
    ascending, start = row[order], 0
    for batch in tables.batches(table, read.names, version=version, rows=_READ):
        stop = start + batch.num_rows
        first, last = np.searchsorted(ascending, [start, stop])
        if last > first:
            vectors = read.of(batch)
            yield order[first:last], vectors[ascending[first:last] - np.uint32(start)]
        start = stop
