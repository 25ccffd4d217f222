"""A view that stores no rows, asked as one that does: rows of the base table, made as it asks.

Its nearest rows are sought among candidates: those that the base table has near the query's own
base vector, ranked by where the view sees them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from tasks.core.store import arrow, tables
from tasks.core.store.addresses import quoted
from tasks.core.store.answers import (
    DISTANCE,
    NearRow,
    near_rows,
    nearest_in,
    places_in,
    refusing,
)
from tasks.core.store.searcher import Searcher
from tasks.core.views.transforming import BLOCK, Reader, columns_read, transformed
from tasks.core.where.condition import condition
from tasks.core.workspace.manifests import ViewNote

EXACT = 20_000  # rows up to which all are ranked, and held in memory for the next question
CANDIDATES, MOST = 3_000, 10_000  # rows nearest in the base table that are ranked: one in `SHARE`
SHARE = 100  # recall@10 0.98 to 1.00 at 100,000 rows and at a million
A_HIT = 20  # times as many candidates as are asked for, at least
LAZILY = 1 << 32  # more than any table has versions
_WIDER = 8  # times as many candidates where a filter leaves too few of them
HELD = 100_000  # candidates at most, 150 MB of vectors and features; then all rows pass by
_HIDDEN = {tables.VECTOR, tables.FEATURES, "row_hash", "text_hash", "text"}
_MADE = {
    tables.VECTOR: "fixed_size_list",
    "label": "string",
    "confidence": "float",
    "novelty": "float",
}


@dataclass(frozen=True)
class Point:
    """Where a text lies: in the view (m,), and as a base vector (d,), if it is known."""

    vector: np.ndarray
    base: np.ndarray | None = None


class LazySearcher(Searcher):
    """A lazy view over one version of the base table. It never changes: threads may share it."""

    def __init__(self, stored: Searcher, texts: Searcher, reader: Reader, note: ViewNote) -> None:
        """stored: the view's own table, without rows; reader: makes them, as `note` has it."""
        self._stored, self._texts = stored, texts
        self._reader, self._storage = reader, note.storage
        self._table, self._total = texts.table, texts.total
        hidden = _HIDDEN - ({"text"} if note.text else set())
        self._own = [name for name in texts.names if name not in hidden]
        self._held: list[pa.Table] | None = None
        self._matched: tuple[str, np.ndarray] | None = None

    @property
    def kinds(self) -> dict[str, str]:
        """Name → Arrow type of the columns that a full view would have."""
        known = self._texts.kinds
        return {name: known[name] for name in self._own} | _MADE

    @property
    def names(self) -> list[str]:
        """The columns that a full view would have."""
        return list(self.kinds)

    @property
    def version(self) -> int:
        """A number for both versions: that of the base table × `LAZILY`, and the view's own."""
        return self._texts.version * LAZILY + self._stored.version

    @property
    def state(self) -> str:
        """What names both versions and no others."""
        return f"{self._texts.state} {self._stored.state}"

    @property
    def note(self) -> object:
        """What the view notes of itself."""
        return self._stored.note

    def ids_from(self, beginning: str, most: int) -> list[str]:
        """Return at most `most` ids that begin so, in no order."""
        return self._texts.ids_from(beginning, most)

    def point_of(self, key: str) -> Point | None:
        """Return where the text with the id `key` lies, or None."""
        for found in self._texts.found([key], columns_read(self._reader)):
            for made in self._made(found, []):
                both = (arrow.vectors_of(rows[tables.VECTOR])[0] for rows in (made, found))
                return Point(*(vector.astype(np.float32) for vector in both))
        return None

    def vector_of(self, key: str) -> np.ndarray | None:
        """Return the vector of the row with the id `key`, or None."""
        point = self.point_of(key)
        return None if point is None else point.vector

    def vectors_of(self, keys: Sequence[str]) -> dict[str, np.ndarray]:
        """Return the vectors (d,) of the rows with the ids `keys`, float32, by id."""
        found: dict[str, np.ndarray] = {}
        for made in self._made_of(keys):
            vectors = arrow.vectors_of(made[tables.VECTOR]).astype(np.float32)
            found |= dict(zip(made["id"].to_pylist(), vectors, strict=True))
        return found

    def rows_of(
        self, keys: Sequence[str], names: Sequence[str], where: str | None = None
    ) -> dict[str, dict[str, Any]]:
        """Return columns `names`, id among them, of the rows with the ids `keys`, by id.

        where: those for which it is true alone.
        """
        wanted, found = self._filter(where, None), dict[str, dict[str, Any]]()
        with refusing(where):
            for made in self._made_of(keys):
                rows = self._matching(made, wanted).select(list(names))
                found |= {row["id"]: row for row in rows.to_pylist()}
        return found

    def count(self, where: str | None = None, label: str | None = None) -> int:
        """Return how many rows there are for which `where` is true, and whose label is `label`."""
        if label is None and (where is None or self.speaks_of_documents(where)):
            return self._texts.count(where)
        return sum(batch.num_rows for batch in self.scan(["id"], where, label))

    def scan(
        self,
        names: Sequence[str],
        where: str | None = None,
        label: str | None = None,
        rows: int = BLOCK,
    ) -> Iterator[pa.RecordBatch]:
        """Stream columns `names` of the rows that `count` counts, as the base table has them."""
        before, after = self._conditions(where)
        made = label is not None or not set(_MADE).isdisjoint(names)
        with refusing(where):
            if not made:
                apart = None if after is None else self._told_apart(names, after, rows)
                yield from apart or self._texts.batches(names, before, rows)
                return
            labelled = None if label is None else f"(label = {quoted(label)})"
            wanted = " AND ".join(filter(None, (before, after, labelled))) or None
            for part in self._all(before):
                found = self._matching(part, wanted)
                yield from found.select(list(names)).to_batches(max_chunksize=rows)

    def _told_apart(self, names: Sequence[str], wanted: str, rows: int) -> Iterator[pa.RecordBatch]:
        """Stream columns of the base table, of the rows for which a filter of made ones is true.

        Which these are is kept until another filter asks, a byte a row: facets read a column each.
        """
        known = self._matched
        if known is None or known[0] != wanted:
            parts = [np.empty(0, bool)]
            for part in self._all(None):
                parts.append(np.zeros(part.num_rows, bool))
                parts[-1][self._places(part, wanted)] = True
            self._matched = known = wanted, np.concatenate(parts)
        start = 0
        for batch in self._texts.batches(names, None, rows):
            stop = start + batch.num_rows
            yield batch.filter(pa.array(known[1][start:stop]))
            start = stop

    def nearest(
        self, vector: np.ndarray, k: int, where: str | None, names: Sequence[str]
    ) -> list[NearRow]:
        """Return the `k` rows closest to `vector` (m,) of all for which `where` is true."""
        return self.nearest_to(Point(vector), k, where, names)

    def nearest_to(
        self, point: Point, k: int, where: str | None, names: Sequence[str]
    ) -> list[NearRow]:
        """Return the `k` rows closest to `point` among those for which `where` is true.

        All rows are ranked where they are `EXACT` or fewer, where `where` keeps fewer than there
        would be candidates, or where no base vector is known; and as many as it takes where
        `where` asks for what the view says: from `HELD` on all, block by block.
        """
        before, after = self._conditions(where)
        with refusing(where):
            many = max(min(max(CANDIDATES, self._total // SHARE), MOST), min(A_HIT * k, HELD))
            most = min(HELD, self._total - 1) if self._total > EXACT else 0
            while point.base is not None and many <= most:
                near = self._texts.candidates(point.base, many, before, self._read)
                found = self._ranked(self._made(near, self._own), point, k, after)
                if len(found) >= k or near.num_rows < many:
                    return _rows(found, names)
                many *= _WIDER
            return _rows(self._ranked(self._all(before), point, k, before or after), names)

    def _conditions(self, where: str | None) -> tuple[str | None, str | None]:
        """Return `where` as a filter of the base table, or as one of rows that are made."""
        if where is None:
            return None, None
        whole = condition(where, self.filterable())
        return (whole, None) if self.speaks_of_documents(where) else (None, whole)

    @property
    def _read(self) -> list[str]:
        return list(dict.fromkeys([*self._own, *columns_read(self._reader)]))

    def _all(self, where: str | None) -> Iterator[pa.Table]:
        """Yield all rows, made; where there are few they are made once, and not filtered."""
        if self._total > EXACT:
            yield from self.made(where)
            return
        if self._held is None:
            self._held = list(self.made(None))
        yield from self._held

    def made(self, where: str | None) -> Iterator[pa.Table]:
        """Make all rows for which `where` is true, a filter of the base table."""
        for batch in self._texts.batches(self._read, where, BLOCK):
            yield transformed(batch, self._own, self._reader, self._storage)

    def _made_of(self, keys: Sequence[str]) -> Iterator[pa.Table]:
        for found in self._texts.found(keys, self._read):
            yield from self._made(found, self._own)

    def _made(self, rows: pa.Table, names: Sequence[str]) -> Iterator[pa.Table]:
        for batch in rows.combine_chunks().to_batches(max_chunksize=BLOCK):
            if batch.num_rows:
                yield transformed(batch, names, self._reader, self._storage)

    def _matching(self, rows: pa.Table, wanted: str | None) -> pa.Table:
        return rows if wanted is None else rows.take(self._places(rows, wanted))

    def _places(self, rows: pa.Table, wanted: str) -> np.ndarray:
        if not rows.num_rows:
            return np.empty(0, np.int64)
        with tables.readable(self._table):
            return places_in(rows, wanted)

    def _ranked(
        self, parts: Iterator[pa.Table], point: Point, k: int, where: str | None
    ) -> pa.Table:
        """Return the `k` rows of all parts that are closest, best first."""
        best: pa.Table | None = None
        for part in parts:
            if part.num_rows:
                with tables.readable(self._table):
                    found = nearest_in(part, point.vector, k, where)
                both = found if best is None else pa.concat_tables([best, found])
                best = both.sort_by(DISTANCE).slice(0, k)
        return pa.table({}) if best is None else best


def _rows(found: pa.Table, names: Sequence[str]) -> list[NearRow]:
    return near_rows(found.select([*names, DISTANCE])) if found.num_rows else []
