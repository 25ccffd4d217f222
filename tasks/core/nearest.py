"""Nearest rows of a table, by LanceDB: exact below some size, through an index above it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tasks.core.errors import InputError
from tasks.core.store import (
    LIVE,
    NOTE,
    VECTOR,
    count,
    exists,
    first_line,
    live_version,
    open_table,
    predicates,
    quoted,
    readable,
    vectors_of,
)


@dataclass(frozen=True)
class Hit:
    """One row found: `score` is the cosine, from -1 to 1."""

    score: float
    row: dict[str, Any]


def index(table: Path, from_rows: int) -> bool:
    """Index the vectors from `from_rows` rows on; below that exact search is fast enough."""
    if count(table) < from_rows:
        return False
    dataset = open_table(table)
    if any(VECTOR in made.field_names for made in dataset.describe_indices()):
        dataset.optimize.optimize_indices()
        return True
    import lancedb
    from lancedb.index import IvfFlat

    opened = lancedb.connect(str(table.parent)).open_table(table.stem)
    # Unquantised: any number of dimensions, and true distances within the cells that are probed.
    # 300,000 x 74: built in 2 s, recall 1.0; HnswSq took minutes, IvfRq wants a multiple of 8.
    opened.create_index(VECTOR, config=IvfFlat(distance_type="cosine"))
    return True


class Searcher:
    """Nearest rows of one table by cosine; follows the `live` tag where the table has one."""

    def __init__(self, table: Path, *, live: bool) -> None:
        import lancedb

        if not exists(table) or (live and live_version(table) is None):
            raise InputError(f"{table}: nothing to search yet; expected vectors; run 'refract run'")
        self._folder = table
        with readable(table):
            self._table = lancedb.connect(str(table.parent)).open_table(table.stem)
        self._live = live
        self._at: int | None = None

    @property
    def names(self) -> list[str]:
        return list(self._table.schema.names)

    @property
    def note(self) -> dict[str, Any]:
        return dict(json.loads((self._table.schema.metadata or {}).get(NOTE, b"{}")))

    def refresh(self) -> bool:
        """Move to the version that readers should see now; True if it changed."""
        if not self._live:
            self._table.checkout_latest()
            return False
        now = int(self._table.tags.get_version(LIVE))
        if now == self._at:
            return False
        self._table.checkout(LIVE)
        self._at = now
        return True

    def nearest(
        self, vector: np.ndarray, k: int, where: str | None, names: Sequence[str]
    ) -> list[Hit]:
        """Return the `k` rows closest to `vector` (d,) among those that pass the SQL filter."""
        query: Any = self._table.search(vector.astype(np.float32), vector_column_name=VECTOR)
        query = query.distance_type("cosine").limit(k).select([*names, "_distance"])
        if where is not None:
            query = query.where(check_filter(where), prefilter=True)
        if where is None:
            return self._hits(query)
        try:
            return self._hits(query)
        except InputError as error:
            raise InputError(
                f"--where {where!r}: {first_line(error.__cause__ or error)};"
                f" columns are: {', '.join(self._filterable())}"
            ) from error

    def _hits(self, query: Any) -> list[Hit]:
        with readable(self._folder):
            found = query.to_arrow().to_pylist()
        return [Hit(1.0 - float(row.pop("_distance")), row) for row in found]

    def vector_of(self, key: str) -> np.ndarray | None:
        """Return the vector stored under the id `key`, or None."""
        query = self._table.search().where(f"id = {quoted(key)}").select([VECTOR]).limit(1)
        with readable(self._folder):
            found = query.to_arrow()
        return vectors_of(found.column(VECTOR))[0].astype(np.float32) if found.num_rows else None

    def values(self, keys: Sequence[str], name: str) -> dict[str, Any]:
        """Return column `name` of the rows with the ids `keys`, by id."""
        found: dict[str, Any] = {}
        for predicate in predicates("id", keys):
            rows = self._table.search().where(predicate).select(["id", name]).limit(len(keys))
            with readable(self._folder):
                got = rows.to_arrow()
            found.update(zip(got["id"].to_pylist(), got[name].to_pylist(), strict=True))
        return found

    def _filterable(self) -> list[str]:
        return [name for name in self.names if name not in (VECTOR, "row_hash")]


def check_filter(where: str) -> str:
    """Return `where` if it is one expression; a filter may select rows and do nothing else."""
    outside = "".join(where.split("'")[::2])
    if ";" in outside or "--" in outside or "/*" in outside:
        raise InputError(
            f"--where {where!r}: expected one SQL expression such as \"channel = 'email'\","
            " found a second statement or a comment; remove it"
        )
    return where
