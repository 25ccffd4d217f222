"""Input documents: their rows in batches, whatever their format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from tasks.core.readers.arrow_reader import read_arrow, read_parquet
from tasks.core.readers.columns import ID_NAMES, TEXT_NAMES, find_column
from tasks.core.readers.csv_reader import read_delimited
from tasks.core.readers.formats import PLAIN, EmptyFileError, Hints, format_of, open_text, reading
from tasks.core.readers.jsonl_reader import read_json
from tasks.core.readers.records import (
    BATCH_LIMIT,
    INVALID,
    ROW_LIMIT,
    TOO_LONG,
    Batch,
    Reject,
    encodable,
    excerpt,
)

__all__ = ["ID_NAMES", "TEXT_NAMES", "batches", "find_column", "is_document", "read_documents"]

TABLES = ("parquet", "arrow")
READERS = {
    "delimited": read_delimited,
    "json": read_json,
    "parquet": read_parquet,
    "arrow": read_arrow,
}


def batches(path: Path, rows: int = 50_000, hints: Hints = PLAIN) -> Iterator[Batch]:
    """Read `path` in batches of at most `rows` rows; memory is bounded by one batch.

    Rows that cannot be read are in the batch's `rejected`. A file that is broken as a whole
    raises InputError, possibly after some batches; one without a byte, or without the header that
    it needs, raises EmptyFileError.
    """
    kind = format_of(path).kind
    if kind == "document":
        return read_documents([path], rows, hints)
    with reading(path):
        if kind in TABLES and not path.stat().st_size:
            raise EmptyFileError(f"{path}: found no byte; expected a table; make it again")
    return READERS[kind](path, rows, hints)


def is_document(path: Path) -> bool:
    """Say whether the whole of `path` is one document."""
    return format_of(path).kind == "document"


def read_documents(
    paths: Iterable[Path], rows: int = 50_000, hints: Hints = PLAIN
) -> Iterator[Batch]:
    """Read files that are one document each, many to a batch."""
    texts: list[str | None] = []
    batch, size = Batch(columns={"text": texts}), 0
    for path in paths:
        with reading(path), open_text(path, hints.encoding) as handle:
            text = handle.read(ROW_LIMIT + 1)
        reason = TOO_LONG if len(text) > ROW_LIMIT else "" if encodable(text) else INVALID
        if reason:
            batch.rejected.append(Reject(path, 1, reason, excerpt(text)))
        else:
            texts.append(text)
            batch.paths.append(path)
            batch.positions.append(1)
            size += len(text)
        if len(batch) + len(batch.rejected) >= rows or size >= BATCH_LIMIT:
            yield batch
            texts = []
            batch, size = Batch(columns={"text": texts}), 0
    yield batch
