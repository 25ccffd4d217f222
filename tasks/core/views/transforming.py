"""Rows of the base table as rows of a view: its vector, and what its transform reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.core.query.few_rows import FewRows, load_reader
from tasks.core.store import arrow, tables
from tasks.core.text.ngrams import READ
from tasks.core.transforms.base import Transform, load

BLOCK = 16_384
"""Rows transformed at once: 25 MB of float32 at 384 dimensions, as much again of features, and the
texts where words are read, of which the first 1,000 characters become Python's: some 17 MB."""

Reader = Transform | FewRows
"""What rows of a view are made by."""


def reader_of(folder: Path, *, light: bool) -> Reader:
    """Read the transform in `folder`; light: by numpy where that can be, in a tenth of the time."""
    return (load_reader(folder) if light else None) or load(folder)[0]


def columns_read(reader: Reader) -> list[str]:
    """Return the columns of the base table that a transform reads."""
    return [*_codes(reader), *(["text"] if reader.reads_text else [])]


def transformed(
    batch: pa.RecordBatch, names: Sequence[str], reader: Reader, storage: str
) -> pa.Table:
    """Return columns `names` of base rows as they are, and beside them vector and readings."""
    x, *more = (arrow.vectors_of(batch.column(name)) for name in _codes(reader))
    texts = _beginnings(batch.column("text")) if reader.reads_text else None
    reading = reader.apply(x, more[0] if more else None, texts)
    labels = pa.array(reader.labels, pa.string()).take(pa.array(reading.label))
    return pa.table(
        [
            *(batch.column(name) for name in names),
            arrow.vector_array(reading.vectors, storage),
            labels,
            pa.array(reading.confidence, pa.float32()),
            pa.array(reading.novelty, pa.float32()),
        ],
        names=[*names, tables.VECTOR, *tables.READINGS],
    )


class Vectors:
    """The vectors of rows of a table: stored, or made by a transform of those of the base table."""

    def __init__(self, transform: Path | None = None, storage: str = "") -> None:
        """transform: a folder; None: they are stored. storage: their type, if they are made."""
        self._reader = None if transform is None else reader_of(transform, light=True)
        self._storage = storage
        self.names = [tables.VECTOR] if self._reader is None else columns_read(self._reader)

    def of(self, batch: pa.RecordBatch) -> NDArray[Any]:
        """Return the vectors (n, m) of rows that have the columns `names`."""
        if self._reader is None:
            return arrow.vectors_of(batch.column(tables.VECTOR))
        return arrow.vectors_of(transformed(batch, [], self._reader, self._storage)[tables.VECTOR])


def _codes(reader: Reader) -> list[str]:
    return [tables.VECTOR, tables.FEATURES] if reader.features else [tables.VECTOR]


def _beginnings(texts: pa.Array) -> list[str]:
    """Return what a transform reads of texts at most: only that becomes Python's strings."""
    found: list[str] = pc.utf8_slice_codeunits(texts, 0, READ).to_pylist()
    return found
