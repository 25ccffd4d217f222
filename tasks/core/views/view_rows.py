"""The rows of a view: read where they are stored, made of the base table's where they are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import polars as pl
import pyarrow as pa

from tasks.core.encoding.featurizer import space_of
from tasks.core.store import frames, tables
from tasks.core.views.publishing import note_of
from tasks.core.views.transforming import BLOCK, Reader, columns_read, reader_of, transformed
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifest import manifest_of
from tasks.core.workspace.manifests import BaseNote, ViewNote

MADE = (tables.VECTOR, *tables.READINGS)  # what a transform says of a row
_UPKEEP = {"row_hash", "text_hash", tables.FEATURES}
_NOT_OF_VIEW = {*_UPKEEP, tables.VECTOR, "text"}  # columns of the base table


@dataclass(frozen=True)
class ViewPlace:
    """Where a view lies: the base table, its own table, the transforms kept by fingerprint."""

    base: Path
    table: Path
    transforms: Path


class Rows(Protocol):
    """One version of a view, or of the base table."""

    @property
    def names(self) -> list[str]:
        """All columns but those of the upkeep."""
        ...

    def parts(self, names: Sequence[str], rows: int = 65_536) -> Iterator[pl.DataFrame]:
        """Stream columns `names` as frames of at most `rows` rows, in table order."""
        ...

    def with_ids(self, ids: Sequence[str], names: Sequence[str]) -> pl.DataFrame:
        """Return columns `names` of the rows with these ids, in no order."""
        ...


def view_rows(place: ViewPlace) -> Rows:
    """Return the rows of the view that readers see; InputError where none is whole yet."""
    stored = StoredRows(place.table, live=True)
    note = note_of(place.table, stored.version)
    if not note.lazy:
        return stored
    return MadeRows(place.base, place.transforms / note.transform, note)


class StoredRows:
    """The rows of a table; live: of the version that readers see, else of the latest."""

    def __init__(self, table: Path, *, live: bool) -> None:
        version = tables.live_version(table) if live else tables.version(table)
        if version is None:
            raise InputError(f"{table}: no live version; expected a whole view; run 'refract run'")
        self._table, self.version = table, version

    @property
    def names(self) -> list[str]:
        """All columns but those of the upkeep."""
        return [n for n in tables.columns(self._table, self.version) if n not in _UPKEEP]

    def parts(self, names: Sequence[str], rows: int = 65_536) -> Iterator[pl.DataFrame]:
        """Stream columns `names` as frames of at most `rows` rows, in table order."""
        return frames.parts(self._table, names, self.version, rows)

    def with_ids(self, ids: Sequence[str], names: Sequence[str]) -> pl.DataFrame:
        """Return columns `names` of the rows with these ids, in no order."""
        return pl.DataFrame(tables.where_in(self._table, "id", ids, names, self.version))


class MadeRows:
    """The rows of a lazy view, made by its transform of what the base table holds now.

    They are those that a full view would store, its storage type included.
    """

    def __init__(self, base: Path, transform: Path, note: ViewNote) -> None:
        """Refuse base vectors that are not the encoder's of which the transform was fitted."""
        self._base, self._version = base, tables.version(base)
        about = manifest_of(tables.note(base, self._version), BaseNote, base) or BaseNote()
        if note.encoder not in (None, space_of(about)):
            raise InputError(
                f"{base}: found base vectors by another encoder than the view's; expected that of"
                " its transform, which makes its rows; run 'refract run'"
            )
        self._transform, self._note = transform, note

    @cached_property
    def _reader(self) -> Reader:
        return reader_of(self._transform, light=False)

    @property
    def names(self) -> list[str]:
        """All columns but those of the upkeep."""
        own = tables.columns(self._base, self._version)
        hidden = _NOT_OF_VIEW - ({"text"} if self._note.text else set())
        return [*(name for name in own if name not in hidden), *MADE]

    def parts(self, names: Sequence[str], rows: int = BLOCK) -> Iterator[pl.DataFrame]:
        """Stream columns `names` as frames of at most `rows` rows, in table order."""
        many = min(rows, BLOCK)
        for batch in tables.batches(
            self._base, self._read(names), version=self._version, rows=many
        ):
            yield self._made(batch, names)

    def with_ids(self, ids: Sequence[str], names: Sequence[str]) -> pl.DataFrame:
        """Return columns `names` of the rows with these ids, in no order."""
        found = tables.where_in(self._base, "id", ids, self._read(names), self._version)
        batches = found.combine_chunks().to_batches(max_chunksize=BLOCK)
        empty = pa.RecordBatch.from_pylist([], found.schema)
        return pl.concat(self._made(batch, names) for batch in batches or [empty])

    def _read(self, names: Sequence[str]) -> list[str]:
        """Return the columns of the base table that `names` take."""
        made = not set(MADE).isdisjoint(names)
        read = columns_read(self._reader) if made else []
        return list(dict.fromkeys([*_kept(names), *read]))

    def _made(self, batch: pa.RecordBatch, names: Sequence[str]) -> pl.DataFrame:
        if set(MADE).isdisjoint(names):
            return pl.DataFrame(pa.table(batch))
        rows = transformed(batch, _kept(names), self._reader, self._note.storage)
        return pl.DataFrame(rows.select(list(names)))


def _kept(names: Sequence[str]) -> list[str]:
    return [name for name in names if name not in MADE]
