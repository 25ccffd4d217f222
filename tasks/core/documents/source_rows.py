"""The rows of the documents in the order of their sources, with the columns that matter of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from tasks.core.documents.sources import inside, partitions
from tasks.core.documents.text_columns import text_columns
from tasks.core.readers.columns import Columns, NoTextError, Wanted
from tasks.core.readers.formats import EmptyFileError, format_of
from tasks.core.readers.read_documents import batches, is_document, read_documents
from tasks.core.readers.records import Batch

NOTHING = Columns(None, "text", ())


class SourceBatch(NamedTuple):
    """Rows of the file `path`, or of many files that are one document each where that is None."""

    path: Path | None
    rows: Batch
    columns: Columns


def source_rows(
    sources: Sequence[Path], root: Path, wanted: Wanted, rows: int, *, alone: bool
) -> Iterator[SourceBatch]:
    """Read `sources` in their order, at most `rows` rows a batch.

    alone: there is no other source, so one that would be passed over is an InputError.
    """
    for whole, paths in groupby(sources, key=is_document):
        if whole:
            for batch in read_documents(paths, rows, wanted.hints):
                yield SourceBatch(None, batch, NOTHING)
        else:
            for path in paths:
                for batch, columns in _one_file(path, root, wanted, rows, alone=alone):
                    yield SourceBatch(path, batch, columns)


def _one_file(
    path: Path, root: Path, wanted: Wanted, rows: int, *, alone: bool
) -> Iterator[tuple[Batch, Columns]]:
    chosen: Columns | None = None
    folders, source, read = partitions(path, root), inside(path, root), 0
    try:
        for batch in batches(path, rows, wanted.hints):
            batch.remarks = [f"{source}: {each}" for each in batch.remarks]
            header = [*batch.columns, *(name for name in folders if name not in batch.columns)]
            if chosen is None and batch.columns:
                chosen = wanted.columns(header, source, text_columns(batch.columns))
            for name in header[len(batch.columns) :]:
                batch.columns[name] = [folders[name]] * len(batch)
            read += len(batch) + len(batch.rejected)
            yield batch, _kept(header, chosen, wanted)
        passed = "" if read else "no rows"
    except EmptyFileError:
        if alone:
            raise
        passed = "empty"
    except NoTextError:
        if alone or format_of(path).suffix != ".json":
            raise
        passed = "no text column"
    if passed:
        yield Batch(remarks=[f"{source}: passed over, {passed}"]), NOTHING


def _kept(header: list[str], chosen: Columns | None, wanted: Wanted) -> Columns:
    if chosen is None or wanted.metadata is not None:
        return chosen or NOTHING
    others = tuple(name for name in header if name not in (chosen.id, chosen.text))
    return Columns(chosen.id, chosen.text, others)
