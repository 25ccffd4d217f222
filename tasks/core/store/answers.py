"""What a search gives, of a stored table or of one in memory; what is wrong with its filter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from tasks.core.store import recall
from tasks.core.text.brief import first_line
from tasks.core.where.words import refusal
from tasks.core.workspace.errors import InputError

DISTANCE = "_distance"  # Lance's name of the column


@dataclass(frozen=True)
class NearRow:
    """One row found: `score` is the cosine, from -1 to 1; row: its columns by name."""

    score: float
    row: dict[str, object]


def near_rows(found: pa.Table) -> list[NearRow]:
    """Return the rows of a search with their cosines, in their order."""
    rows = found.to_pylist()
    return [NearRow(1.0 - float(row.pop(DISTANCE)), row) for row in rows]


def nearest_in(rows: pa.Table, vector: np.ndarray, k: int, where: str | None) -> pa.Table:
    """Return the `k` rows of a table in memory closest to `vector` (d,), as a search returns them.

    Lance itself compares and filters, so what is found is what it would be of a stored table.
    where: as `condition` has written it.
    """
    dataset = _in_memory(rows)
    near = recall.nearest(dataset, vector.astype(np.float32), k, None)
    return dataset.to_table(nearest=near, filter=where, prefilter=True)


def places_in(rows: pa.Table, where: str) -> np.ndarray:
    """Return where in a table in memory the rows are for which `where` is true, ascending: (m,).

    where: as `condition` has written it.
    """
    found = _in_memory(rows).to_table(columns=[], filter=where, with_row_id=True)
    return np.sort(found["_rowid"].to_numpy()).astype(np.int64)


def _in_memory(rows: pa.Table) -> Any:
    import lance

    return lance.write_dataset(rows, "memory://")


def _told(error: BaseException) -> str:
    """Return what Lance says of a filter, without the place in its own source."""
    said = re.sub(r", /\S+:\d+:\d+$", "", first_line(error))
    failed = re.search(r"Cannot cast .*", said)
    return f"{failed[0]}; use TRY_CAST, which gives null" if failed else said


@contextmanager
def refusing(where: str | None) -> Iterator[None]:
    """Turn what Lance says of a filter into one line about the condition that it was made of."""
    try:
        yield
    except InputError as error:
        if where is None:
            raise
        raise refusal(where, _told(error.__cause__ or error)) from error
