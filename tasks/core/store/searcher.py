"""Nearest rows of a table: exact where few rows count, through its index where many do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tasks.core.remote.pointers import LIVE, pointer_at
from tasks.core.store import arrow, layout, recall
from tasks.core.store.addresses import predicates, quoted
from tasks.core.store.answers import DISTANCE, NearRow, near_rows, refusing
from tasks.core.store.layout import exists
from tasks.core.store.tables import (
    FEATURES,
    READINGS,
    VECTOR,
    live_version,
    noted,
    open_table,
    readable,
)
from tasks.core.where.condition import condition
from tasks.core.workspace.errors import InputError, UnmadeError

_PLENTY = 20  # times as many rows as are asked for show that they lie where they are looked for


class Searcher:
    """Nearest rows of one version of a table, by cosine: it never changes, so threads may share it.

    live: the version is the one that the tag `live` names, or else the latest.
    """

    def __init__(self, table: Path, *, live: bool, version: int | None = None) -> None:
        if not exists(table) or (live and live_version(table) is None):
            raise UnmadeError(
                f"{table}: nothing to search yet; expected vectors; run 'refract run'"
            )
        self._table = table
        self._live = live
        self._rows = open_table(table, version or (LIVE if live else None))
        self._state = _state(table, self.version)
        with readable(table):
            self._probes = recall.probes(self._rows)
            self._total = self._rows.count_rows()

    @property
    def table(self) -> Path:
        """Where the table is."""
        return self._table

    @property
    def total(self) -> int:
        """How many rows this version has."""
        return int(self._total)

    @property
    def names(self) -> list[str]:
        """The table's columns."""
        return list(self._rows.schema.names)

    @property
    def kinds(self) -> dict[str, str]:
        """Name → Arrow type of the table's columns."""
        return {field.name: str(field.type) for field in self._rows.schema}

    @property
    def version(self) -> int:
        """The number of this version of the table."""
        return int(self._rows.version)

    @property
    def state(self) -> str:
        """What names this version and no other, not even one of its number in its place."""
        return self._state

    @property
    def note(self) -> object:
        """What was noted with the table's rows when they were written, a JSON value."""
        return noted(self._rows.schema)

    def newest(self) -> Searcher:
        """Return the version that readers should see now; this one itself if it is that."""
        pointer = pointer_at(self._table)
        if pointer is not None:
            newest = pointer.live if self._live else pointer.version
        else:
            with readable(self._table):
                tagged = self._rows.tags.get_version(LIVE) if self._live else None
                newest = tagged or self._rows.latest_version
        if newest == self._rows.version and self._state == _state(self._table, self.version):
            return self
        return Searcher(self._table, live=self._live, version=newest)

    def nearest(
        self, vector: np.ndarray, k: int, where: str | None, names: Sequence[str]
    ) -> list[NearRow]:
        """Return the `k` rows closest to `vector` (d,) among those for which `where` is true."""
        wanted = self._filter(where, None)
        with refusing(where):
            return near_rows(self._hits(vector, k, wanted, names))

    def candidates(
        self, vector: np.ndarray, k: int, where: str | None, names: Sequence[str]
    ) -> pa.Table:
        """Return `k` rows close to `vector`, as a table; fewer where `where` keeps fewer.

        By distances as the index has rounded them: somebody else ranks these rows. where: as
        `condition` has written it.
        """
        made = self._probes
        if made is None:
            return self._asked(vector, k, where, names, None)
        nprobes = made.nprobes if where is None else made.nprobes_filtered
        found = self._asked(vector, k, where, names, nprobes, rough=True)
        if found.num_rows < k and nprobes < made.partitions:
            found = self._asked(vector, k, where, names, made.partitions, rough=True)
        return found

    def count(self, where: str | None = None, label: str | None = None) -> int:
        """Return how many rows there are for which `where` is true, and whose label is `label`."""
        wanted = self._filter(where, label)
        with refusing(where), readable(self._table):
            return int(self._rows.count_rows(filter=wanted))

    def scan(
        self,
        names: Sequence[str],
        where: str | None = None,
        label: str | None = None,
        rows: int = 65_536,
    ) -> Iterator[pa.RecordBatch]:
        """Stream columns `names` of the rows that `count` counts, in table order."""
        wanted = self._filter(where, label)
        with refusing(where):
            yield from self.batches(names, wanted, rows)

    def batches(
        self, names: Sequence[str], where: str | None, rows: int
    ) -> Iterator[pa.RecordBatch]:
        """Stream columns `names` of the rows for which `where` is true, as `condition` wrote it."""
        with readable(self._table):
            scanner = self._rows.scanner(
                columns=list(names), filter=where, batch_size=rows, scan_in_order=True
            )
            yield from scanner.to_batches()

    def counts(
        self, name: str, where: str | None = None, label: str | None = None
    ) -> dict[Any, int]:
        """Return how many of these rows have each value of column `name`, nulls left out."""
        found: dict[Any, int] = {}
        for batch in self.scan([name], where, label):
            for each in batch.column(name).drop_null().value_counts():
                value = each["values"].as_py()
                found[value] = found.get(value, 0) + each["counts"].as_py()
        return found

    def rows_of(
        self, keys: Sequence[str], names: Sequence[str], where: str | None = None
    ) -> dict[str, dict[str, Any]]:
        """Return columns `names`, id among them, of the rows with the ids `keys`, by id.

        where: those for which it is true alone.
        """
        wanted, found = self._filter(where, None), dict[str, dict[str, Any]]()
        for predicate in predicates("id", keys):
            both = predicate if wanted is None else f"({predicate}) AND {wanted}"
            with refusing(where), readable(self._table):
                got = self._rows.to_table(columns=list(names), filter=both)
            found |= {row["id"]: row for row in got.to_pylist()}
        return found

    def speaks_of_documents(self, where: str) -> bool:
        """Tell whether a condition names nothing that a view says: it is the same in all of them.

        InputError for what is no condition on the columns of this table.
        """
        condition(where, columns := self.filterable())
        own = {name: kind for name, kind in columns.items() if name not in READINGS}
        try:
            condition(where, own)
        except InputError:
            return False
        return True

    def _filter(self, where: str | None, label: str | None) -> str | None:
        """Return what a condition, read by our own grammar, and a label are for Lance."""
        parts = [] if where is None else [condition(where, self.filterable())]
        parts += [] if label is None else [f"(label = {quoted(label)})"]
        return " AND ".join(parts) or None

    def _hits(
        self, vector: np.ndarray, k: int, where: str | None, names: Sequence[str]
    ) -> pa.Table:
        """Look at as many partitions as were measured to be enough, where they hold enough rows.

        Behind a filter these are as many as when it was measured, or `_PLENTY` times `k`: where the
        rows for which it is true lie elsewhere, or are fewer, all partitions are looked at, and
        nothing is passed over.
        """
        made = self._probes
        if made is None:
            return self._asked(vector, k, where, names, None)
        nprobes, least = made.nprobes, k
        if where is not None:
            nprobes = made.nprobes_filtered
            usual = self._total * nprobes // (recall.MASK * made.partitions)
            least = max(k, min(usual, _PLENTY * k))
        if nprobes >= made.partitions:
            return self._asked(vector, k, where, names, nprobes)
        found = self._asked(vector, least, where, names, nprobes)
        if found.num_rows < least:
            found = self._asked(vector, k, where, names, made.partitions)
        return found.slice(0, k)

    def _asked(
        self,
        vector: np.ndarray,
        k: int,
        where: str | None,
        names: Sequence[str],
        nprobes: int | None,
        *,
        rough: bool = False,
    ) -> pa.Table:
        with readable(self._table):
            near = recall.nearest(self._rows, vector.astype(np.float32), k, nprobes, rough=rough)
            return self._rows.to_table(
                columns=[*names, DISTANCE], nearest=near, filter=where, prefilter=True
            )

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
        return {
            key: text
            for got in self.found(keys, ["id", "text"])
            for key, text in zip(got["id"].to_pylist(), got["text"].to_pylist(), strict=True)
        }

    def vectors_of(self, keys: Sequence[str]) -> dict[str, np.ndarray]:
        """Return the vectors (d,) of the rows with the ids `keys`, float32, by id."""
        return {
            key: vector
            for got in self.found(keys, ["id", VECTOR])
            for key, vector in zip(
                got["id"].to_pylist(),
                arrow.vectors_of(got[VECTOR]).astype(np.float32),
                strict=True,
            )
        }

    def found(self, keys: Sequence[str], names: Sequence[str]) -> Iterator[pa.Table]:
        """Yield columns `names` of the rows with the ids `keys`, some at a time."""
        for predicate in predicates("id", keys):
            with readable(self._table):
                yield self._rows.to_table(columns=list(names), filter=predicate)

    def filterable(self) -> dict[str, str]:
        """Return what a filter may name: column → Arrow type."""
        hidden = (VECTOR, FEATURES, "row_hash")
        return {name: kind for name, kind in self.kinds.items() if name not in hidden}


def _state(table: Path, version: int) -> str:
    """Return what names a version of a table; in a store no number comes a second time."""
    return str(version) if pointer_at(table) is not None else layout.state(table, version)
