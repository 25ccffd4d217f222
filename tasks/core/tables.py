"""Arrow and Parquet files read as batches of raw strings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks.core.formats import reading
from tasks.core.records import (
    BATCH_LIMIT,
    INVALID,
    Batch,
    Cell,
    Reject,
    column_names,
    dump,
    encodable,
    excerpt,
)


def read_parquet(path: Path, rows: int) -> Iterator[Batch]:
    """Read Parquet row group by row group; positions are row numbers from 1."""
    with reading(path), pq.ParquetFile(path) as file:
        groups = map(file.metadata.row_group, range(file.num_row_groups))
        widths = (group.total_byte_size // max(1, group.num_rows) for group in groups)
        size = max(1, min(rows, BATCH_LIMIT // max(1, *widths, 1)))
        yield from _batches(path, file.schema_arrow.names, file.iter_batches(batch_size=size))


def read_arrow(path: Path, rows: int) -> Iterator[Batch]:
    """Read Arrow IPC, file or stream, mapped into memory rather than loaded."""
    with reading(path), pa.memory_map(str(path)) as source:
        magic = source.read(6)
        source.seek(0)
        if magic == b"ARROW1":
            file = pa.ipc.open_file(source)
            records = map(file.get_batch, range(file.num_record_batches))
            yield from _batches(path, file.schema.names, _slices(records, rows))
        else:
            stream = pa.ipc.open_stream(source)
            yield from _batches(path, stream.schema.names, _slices(stream, rows))


def _slices(records: Any, rows: int) -> Iterator[Any]:
    for record in records:
        width = record.nbytes // max(1, record.num_rows)
        size = max(1, min(rows, BATCH_LIMIT // max(1, width)))
        for start in range(0, record.num_rows, size):
            yield record.slice(start, size)


def _batches(path: Path, names: list[str], records: Any) -> Iterator[Batch]:
    names, position, record = column_names(names), 1, None
    for record in records:
        columns = {name: _cells(column) for name, column in zip(names, record.columns, strict=True)}
        yield _checked(path, columns, position, record.num_rows)
        position += record.num_rows
    if record is None:
        yield Batch(columns={name: [] for name in names})


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


def _cells(column: Any) -> list[Cell]:
    """Return the values of an Arrow array as text; NaN is null and 17.0 is "17"."""
    if pa.types.is_dictionary(column.type):
        column.validate(full=True)
        column = column.dictionary_decode()
    kind = column.type
    if _is_text(kind):
        return _texts(column)
    column.validate(full=True)
    if pa.types.is_nested(kind):
        return [None if value is None else dump(value) for value in column.to_pylist()]
    if pa.types.is_floating(kind):
        column = column.cast(pa.float32()) if pa.types.is_float16(kind) else column
        column = pc.if_else(pc.is_nan(column), None, column)
    cells: list[Cell] = column.cast(pa.string()).to_pylist()
    return cells


def _is_text(kind: Any) -> bool:
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_binary_view(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def _texts(column: Any) -> list[Cell]:
    raw = column.cast(pa.large_binary())
    raw.validate(full=True)
    try:
        cells: list[Cell] = raw.cast(pa.large_string()).to_pylist()
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return [
            None if value is None else value.decode("utf-8", "surrogateescape")
            for value in raw.to_pylist()
        ]
    return cells
