"""The corpus: every usable text once, in one Parquet file, with its id, hashes and metadata."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.core.documents.metadata import FIXED, TYPES, sql_names, typed
from tasks.core.documents.quarantine import RejectLog
from tasks.core.documents.sources import inside, partitions
from tasks.core.documents.staging import RAW, Intake
from tasks.core.documents.text_columns import text_columns
from tasks.core.documents.wanted import wanted
from tasks.core.readers.columns import Columns, NoTextError, Wanted
from tasks.core.readers.formats import EmptyFileError, format_of, reading
from tasks.core.readers.read_documents import batches, is_document, read_documents
from tasks.core.readers.records import Batch
from tasks.core.settings.table_sections import IngestSettings
from tasks.core.workspace.errors import InputError

GROUP_ROWS = 50_000  # rows of a Parquet row group, the unit that `rows` reads
KEYS = ("id", "text_hash", "row_hash")
NOTHING = Columns(None, "text", ())


@dataclass(frozen=True)
class CorpusReport:
    """What became of the documents: `read` is `kept` plus all of `rejected`.

    `columns` maps each metadata column to its type, `renamed` its old name to its new one;
    `digest` names the rows in their order; `remarks` say how files were read that were not plain.
    """

    sources: int
    read: int
    kept: int
    rejected: dict[str, int]
    notes: dict[str, int]
    columns: dict[str, str]
    renamed: dict[str, str]
    digest: str
    remarks: list[str] = field(default_factory=list)


def build(
    sources: Sequence[Path],
    root: Path,
    out: Path,
    rejects: Path,
    settings: IngestSettings,
    *,
    batch_rows: int = GROUP_ROWS,
    advance: Callable[[int], None] = lambda _: None,
) -> CorpusReport:
    """Make the corpus `out` from `sources`, in their order; equal input gives equal bytes.

    Without an id column the id is the text's hash. Of several rows with one id the first is kept:
    the same text again is a 'repeated row', another text goes to quarantine. The same text under
    several ids is kept, and noted. With no usable row at all InputError, and nothing is written.
    """
    with _workplace(out) as folder, RejectLog(rejects) as log:
        intake = Intake(folder, log, root, GROUP_ROWS)
        for batch, columns in _chosen(sources, root, wanted(settings), batch_rows):
            intake.add(batch, columns)
            advance(len(batch) + len(batch.rejected))
        report = _finish(intake, len(sources), folder / out.name)
        (folder / out.name).replace(out)
    return report


@contextmanager
def _workplace(out: Path) -> Iterator[Path]:
    folder = out.with_name(f".{out.name}.staging")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _chosen(
    sources: Sequence[Path], root: Path, wanted: Wanted, rows: int
) -> Iterator[tuple[Batch, Columns]]:
    for whole, paths in groupby(sources, key=is_document):
        if whole:
            read = read_documents(paths, rows, wanted.hints)
            yield from ((batch, NOTHING) for batch in read)
        else:
            for path in paths:
                yield from _one_file(path, root, wanted, rows, alone=len(sources) == 1)


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


def _finish(intake: Intake, sources: int, out: Path) -> CorpusReport:
    """Write the corpus at `out` from the staged parts, and say what became of the rows."""
    digest = intake.close()
    if not intake.kept:
        raise InputError(_nothing_kept(sources, intake.read, intake.rejected))
    names = sql_names(intake.votes)
    kinds = {name: intake.votes[name].kind for name in names}
    _write(intake.parts, out, names, kinds)
    return CorpusReport(
        sources=sources,
        read=intake.read,
        kept=intake.kept,
        rejected=dict(sorted(intake.rejected.items())),
        notes=dict(sorted(intake.notes.items())),
        columns={names[name]: kind for name, kind in kinds.items()},
        renamed={old: new for old, new in names.items() if old != new},
        digest=digest,
        remarks=intake.remarks(),
    )


def _nothing_kept(sources: int, read: int, rejected: Counter[str]) -> str:
    reasons = ", ".join(f"{count} {reason}" for reason, count in rejected.most_common(5))
    return (
        f"found no usable row among {read} in {sources} file(s) ({reasons or 'no rows'});"
        " expected at least one text; check the files and params.yaml: ingest.text and ingest.id"
    )


def _write(parts: Sequence[Path], out: Path, names: dict[str, str], kinds: dict[str, str]) -> None:
    arrow = {"string": pa.string(), "integer": pa.int64(), "number": pa.float64()}
    arrow["boolean"] = pa.bool_()
    schema = pa.schema(
        [(name, pa.string()) for name in FIXED]
        + [(names[name], arrow[kind]) for name, kind in kinds.items()]
    )
    repeating = ["source", *(names[name] for name, kind in kinds.items() if kind == "string")]
    with pq.ParquetWriter(out, schema, compression="zstd", use_dictionary=repeating) as writer:
        for part in parts:
            frame = _typed_part(part, names, kinds)
            writer.write_table(frame.to_arrow().cast(schema), row_group_size=GROUP_ROWS)
            part.unlink()


def _typed_part(part: Path, names: dict[str, str], kinds: dict[str, str]) -> pl.DataFrame:
    frame = pl.read_parquet(part, memory_map=False)
    columns: list[Any] = [pl.col(name) for name in FIXED]
    for name, kind in kinds.items():
        known = RAW + name in frame.columns
        column = typed(pl.col(RAW + name), kind) if known else pl.lit(None, TYPES[kind])
        columns.append(column.alias(names[name]))
    return frame.select(columns)


def rows(path: Path, start: int, stop: int, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Read the rows `start` to `stop` (exclusive) of a corpus; only their row groups are read."""
    with reading(path), pq.ParquetFile(path) as file:
        groups, first, at = [], 0, 0
        for number in range(file.num_row_groups):
            after = at + file.metadata.row_group(number).num_rows
            if after <= start:
                first = after
            elif at < stop:
                groups.append(number)
            at = after
        table = file.read_row_groups(groups, columns=list(columns) if columns else None)
    frame = pl.DataFrame(pl.from_arrow(table))
    return frame.slice(start - first, max(0, stop - start))


def keys(path: Path) -> pl.DataFrame:
    """Read id, text_hash and row_hash of a corpus, in its order."""
    with reading(path), pq.ParquetFile(path) as file:
        return pl.DataFrame(pl.from_arrow(file.read(columns=list(KEYS))))
