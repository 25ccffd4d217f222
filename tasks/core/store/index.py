"""Nearest rows of a table: exact below some size, through a LanceDB index above it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tasks.core.store import arrow
from tasks.core.store.layout import LIVE, exists
from tasks.core.store.predicates import predicates, quoted
from tasks.core.store.tables import (
    FEATURES,
    VECTOR,
    count,
    first_line,
    live_version,
    noted,
    open_table,
    readable,
)
from tasks.core.where.condition import condition
from tasks.core.where.words import refusal
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.exhaustion import naming_table

_WIDE = 256  # dimensions from which an index holds rounded vectors: half the bytes to read
_REFINE = 4  # candidates per hit whose true distance is taken there; recall 1.0 at 50,000 x 384


@dataclass(frozen=True)
class NearRow:
    """One row found: `score` is the cosine, from -1 to 1; row: its columns by name."""

    score: float
    row: dict[str, object]


@naming_table
def index(table: Path, from_rows: int) -> bool:
    """Index ids and vectors from `from_rows` rows on; below that looking at every row is fast."""
    if count(table) < from_rows:
        return False
    dataset = open_table(table)
    if any(VECTOR in made.field_names for made in dataset.describe_indices()):
        dataset.optimize.optimize_indices()
        return True
    import lancedb
    from lancedb.index import BTree, IvfFlat, IvfSq

    opened = lancedb.connect(str(table.parent)).open_table(table.stem)
    opened.create_index("id", config=BTree())
    # Refining costs more than it saves where vectors are short: 50,000 x 74 in 6.7 ms, not 11.2.
    # IvfRq recalls 0.98 at 50,000 x 384, HnswSq and IvfPq take minutes to build.
    kind = IvfSq if dataset.schema.field(VECTOR).type.list_size >= _WIDE else IvfFlat
    opened.create_index(VECTOR, config=kind(distance_type="cosine"))
    return True


def _told(error: BaseException) -> str:
    """Return what Lance says of a filter, without the place in its own source."""
    said = re.sub(r", /\S+:\d+:\d+$", "", first_line(error))
    failed = re.search(r"Cannot cast .*", said)
    return f"{failed[0]}; use TRY_CAST, which gives null" if failed else said


def _rounds(rows: Any) -> bool:
    """Tell whether the index holds rounded vectors, so that distances must be taken again."""
    return any(
        VECTOR in made.field_names and made.index_type != "IVF_FLAT"
        for made in rows.describe_indices()
    )


class Searcher:
    """Nearest rows of one version of a table, by cosine: it never changes, so threads may share it.

    live: the version is the one that the tag `live` names, or else the latest.
    """

    def __init__(self, table: Path, *, live: bool, version: int | None = None) -> None:
        if not exists(table) or (live and live_version(table) is None):
            raise InputError(f"{table}: nothing to search yet; expected vectors; run 'refract run'")
        self._table = table
        self._live = live
        self._rows = open_table(table, version or (LIVE if live else None))

    @property
    def names(self) -> list[str]:
        """The table's columns."""
        return list(self._rows.schema.names)

    @property
    def note(self) -> object:
        """What was noted with the table's rows when they were written, a JSON value."""
        return noted(self._rows.schema)

    def newest(self) -> Searcher:
        """Return the version that readers should see now; this one itself if it is that."""
        with readable(self._table):
            newest = self._rows.tags.get_version(LIVE) if self._live else self._rows.latest_version
        if newest == self._rows.version:
            return self
        return Searcher(self._table, live=self._live, version=newest)

    def nearest(
        self, vector: np.ndarray, k: int, where: str | None, names: Sequence[str]
    ) -> list[NearRow]:
        """Return the `k` rows closest to `vector` (d,) among those for which `where` is true."""
        if where is None:
            return self._hits(vector, k, None, names)
        filtered = condition(where, self._filterable())
        try:
            return self._hits(vector, k, filtered, names)
        except InputError as error:
            raise refusal(where, _told(error.__cause__ or error)) from error

    def _hits(
        self, vector: np.ndarray, k: int, where: str | None, names: Sequence[str]
    ) -> list[NearRow]:
        near = {"column": VECTOR, "q": vector.astype(np.float32), "k": k, "metric": "cosine"}
        if _rounds(self._rows):
            near["refine_factor"] = _REFINE
        with readable(self._table):
            found = self._rows.to_table(
                columns=[*names, "_distance"], nearest=near, filter=where, prefilter=True
            )
        return [NearRow(1.0 - float(row.pop("_distance")), row) for row in found.to_pylist()]

    def vector_of(self, key: str) -> np.ndarray | None:
        """Return the vector stored under the id `key`, or None."""
        with readable(self._table):
            found = self._rows.to_table(columns=[VECTOR], filter=f"id = {quoted(key)}", limit=1)
        return (
            arrow.vectors_of(found.column(VECTOR))[0].astype(np.float32) if found.num_rows else None
        )

    def ids_from(self, beginning: str, most: int) -> list[str]:
        """Return at most `most` ids that begin so, in no order."""
        with readable(self._table):
            predicate = f"starts_with(id, {quoted(beginning)})"
            found = self._rows.to_table(columns=["id"], filter=predicate, limit=most)
        ids: list[str] = found["id"].to_pylist()
        return ids

    def texts_of(self, keys: Sequence[str]) -> dict[str, str]:
        """Return the texts of the rows with the ids `keys`, by id."""
        return dict(self._values(keys, "text"))

    def vectors_of(self, keys: Sequence[str]) -> dict[str, np.ndarray]:
        """Return the vectors (d,) of the rows with the ids `keys`, float32, by id."""
        found = self._values(keys, VECTOR)
        return {key: np.array(vector, np.float32) for key, vector in found}

    def _values(self, keys: Sequence[str], name: str) -> Iterator[tuple[str, Any]]:
        for predicate in predicates("id", keys):
            with readable(self._table):
                got = self._rows.to_table(columns=["id", name], filter=predicate)
            yield from zip(got["id"].to_pylist(), got[name].to_pylist(), strict=True)

    def _filterable(self) -> dict[str, str]:
        hidden = (VECTOR, FEATURES, "row_hash")
        fields = [field for field in self._rows.schema if field.name not in hidden]
        return {field.name: str(field.type) for field in fields}
