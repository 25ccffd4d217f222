"""Which rows are meant: by the values of a column, or by where they lie.

An address names a fragment (upper 32 bits) and the offset of a row in it. It holds for one version
and the changes after it; a compaction moves rows elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

ADDRESS = "_rowaddr"  # Lance's name of the column
_IDS_PER_PREDICATE = 4_000  # a longer IN list gains nothing and nests the expression deeper
_OFFSET = np.uint64((1 << 32) - 1)


def of_ids(dataset: Any, ids: Sequence[str]) -> np.ndarray:
    """Return the addresses (m,) uint64 of the rows whose id is one of `ids`."""
    parts = [
        dataset.to_table(columns=[], filter=predicate, with_row_address=True)
        for predicate in predicates("id", ids)
    ]
    return of_batches(batch for part in parts for batch in part.to_batches())


def of_batches(batches: Iterable[pa.RecordBatch]) -> np.ndarray:
    """Return the addresses (m,) uint64 that record batches hold, one after the other."""
    parts = [batch.column(ADDRESS).to_numpy() for batch in batches]
    return np.concatenate(parts) if parts else np.empty(0, np.uint64)


def without(dataset: Any, addresses: np.ndarray) -> tuple[list[int], list[Any]]:
    """Return the fragments that vanish and those that shrink when `addresses` are removed.

    Nothing is searched for: each fragment that is touched gets one list of offsets.
    """
    removed, updated = [], []
    found = np.sort(addresses)
    fragments = found >> np.uint64(32)
    for name in np.unique(fragments).tolist():
        offsets = found[fragments == name] & _OFFSET
        smaller = dataset.get_fragment(name).delete_rows(offsets.tolist())
        if smaller is None:
            removed.append(name)
        else:
            updated.append(smaller)
    return removed, updated


def predicates(column: str, values: Sequence[str]) -> Iterator[str]:
    """Yield SQL conditions that together select the rows whose `column` is one of `values`."""
    for at in range(0, len(values), _IDS_PER_PREDICATE):
        inside = ", ".join(quoted(value) for value in values[at : at + _IDS_PER_PREDICATE])
        yield f"{column} IN ({inside})"


def quoted(value: str) -> str:
    """Return `value` as an SQL string literal."""
    return "'" + value.replace("'", "''") + "'"
