"""Arrow and Parquet files read as batches of raw strings."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.core.readers.arrow_cells import UnreadableError, cells
from tasks.core.readers.columns import too_many
from tasks.core.readers.formats import Hints, reading
from tasks.core.readers.records import (
    BATCH_LIMIT,
    INVALID,
    Batch,
    Cell,
    Reject,
    column_names,
    encodable,
    excerpt,
)


def read_parquet(path: Path, rows: int, hints: Hints) -> Iterator[Batch]:
    """Read Parquet row group by row group; positions are row numbers from 1."""
    with reading(path), pa.OSFile(os.fsencode(path)) as raw, pq.ParquetFile(raw) as file:
        groups = map(file.metadata.row_group, range(file.num_row_groups))
        widths = (group.total_byte_size // max(1, group.num_rows) for group in groups)
        size = max(1, min(rows, BATCH_LIMIT // max(1, *widths, 1)))
        yield from _batches(path, file.schema_arrow, hints, file.iter_batches(batch_size=size))


def read_arrow(path: Path, rows: int, hints: Hints) -> Iterator[Batch]:
    """Read Arrow IPC, file or stream, mapped into memory rather than loaded."""
    with reading(path), pa.memory_map(os.fsencode(path)) as source:
        magic = source.read(6)
        source.seek(0)
        if magic == b"ARROW1":
            file = pa.ipc.open_file(source)
            records = map(file.get_batch, range(file.num_record_batches))
            yield from _batches(path, file.schema, hints, _slices(records, rows))
        else:
            stream = pa.ipc.open_stream(source)
            yield from _batches(path, stream.schema, hints, _slices(stream, rows))


def _slices(records: Any, rows: int) -> Iterator[Any]:
    for record in records:
        record.validate()  # nbytes ends the process where offsets are broken
        width = record.get_total_buffer_size() // max(1, record.num_rows)
        size = max(1, min(rows, BATCH_LIMIT // max(1, width)))
        for start in range(0, record.num_rows, size):
            yield record.slice(start, size)


def _batches(path: Path, schema: Any, hints: Hints, records: Any) -> Iterator[Batch]:
    columns, position = _Columns(schema, hints), 1
    waiting = Batch(columns={name: [] for name in columns.names})
    for number, record in enumerate(records):
        if number:
            yield waiting
        waiting = _checked(path, columns.of(record), position, record.num_rows)
        position += record.num_rows
    waiting.remarks = columns.remarks()
    yield waiting


class _Columns:
    """The columns of one file: which are read, and what became of the others."""

    def __init__(self, schema: Any, hints: Hints) -> None:
        names = column_names(schema.names)
        self.names, self._more = too_many(names, hints.columns)
        self._at = {name: names.index(name) for name in self.names}
        self._kinds = {name: schema.types[at] for name, at in self._at.items()}
        self._left: dict[str, str] = {}
        self._lost: Counter[str] = Counter()

    def of(self, record: Any) -> dict[str, list[Cell]]:
        """Return the columns of `record` as text, without those that cannot be."""
        found: dict[str, list[Cell]] = {}
        for name in self.names:
            if name not in self._left:
                try:
                    found[name], lost = cells(record.column(self._at[name]))
                    self._lost[name] += lost
                except UnreadableError as error:
                    self._left[name] = str(error)
        return found

    def remarks(self) -> list[str]:
        """Return remarks on the columns that were left out."""
        said = [self._more] * bool(self._more)
        for name, why in self._left.items():
            said.append(f"column '{name}' ({self._kinds[name]}) is left out: {why}")
        for name, count in self._lost.items():
            if count:
                kind = self._kinds[name]
                said.append(f"column '{name}' ({kind}): {count:,} values are left out, no text")
        return said


def _checked(path: Path, columns: dict[str, list[Cell]], position: int, rows: int) -> Batch:
    bad = {
        row
        for column in columns.values()
        if not encodable("".join(filter(None, column)))
        for row, cell in enumerate(column)
        if cell is not None and not encodable(cell)
    }
    kept = [row for row in range(rows) if row not in bad]
    rejected = [
        Reject(
            path,
            position + row,
            INVALID,
            excerpt("\t".join(column[row] or "" for column in columns.values())),
        )
        for row in sorted(bad)
    ]
    if bad:
        columns = {name: [column[row] for row in kept] for name, column in columns.items()}
    return Batch(columns, [path] * len(kept), [position + row for row in kept], rejected)
