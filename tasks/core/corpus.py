"""The corpus: every usable text once, in one Parquet file, with its id, hashes and metadata."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.core.documents import Columns, batches, detect_columns, is_document, read_documents
from tasks.core.errors import InputError
from tasks.core.formats import reading
from tasks.core.quarantine import RejectLog
from tasks.core.records import BATCH_LIMIT, Batch, dump, excerpt
from tasks.core.schema import FIXED, TYPES, TypeVote, sql_names, typed
from tasks.core.seen import OTHER_TEXT, REPEATED, SeenRows

GROUP_ROWS = 50_000  # rows of a Parquet row group, the unit that `rows` reads
KEYS = ("id", "text_hash", "row_hash")
RAW = "raw:"  # marks a metadata column by its own name until all names are known

EMPTY_TEXT = "empty text"
EMPTY_ID = "empty id"
REPEATED_ROW = "repeated row"
REPEATED_ID = "id repeated with another text"
REPEATED_TEXT = "text repeated under another id"


@dataclass(frozen=True)
class CorpusReport:
    """What became of the documents: `read` is `kept` plus all of `rejected`.

    `columns` maps each metadata column to its type, `renamed` its old name to its new one;
    `digest` names the rows in their order.
    """

    sources: int
    read: int
    kept: int
    rejected: dict[str, int]
    notes: dict[str, int]
    columns: dict[str, str]
    renamed: dict[str, str]
    digest: str


def text_hash(text: str) -> str:
    """Return the BLAKE2b-128 of `text` in UTF-8, as 32 hex digits."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def build(
    sources: Sequence[Path],
    root: Path,
    out: Path,
    rejects: Path,
    *,
    id: str | None = None,  # noqa: A002 - named as in params.yaml, for good
    text: str | None = None,
    metadata: Sequence[str] | None = None,
    batch_rows: int = GROUP_ROWS,
) -> CorpusReport:
    """Make the corpus `out` from `sources`, in their order; equal input gives equal bytes.

    Without an id column the id is the text's hash. Of several rows with one id the first is kept:
    the same text again is a 'repeated row', another text goes to quarantine. The same text under
    several ids is kept, and noted. With no usable row at all InputError, and nothing is written.
    """
    with _workplace(out) as folder, RejectLog(rejects) as log:
        intake = Intake(folder, log, root)
        for batch, columns in _chosen(sources, id, text, metadata, batch_rows):
            intake.add(batch, columns)
        report = intake.finish(len(sources), folder / out.name)
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
    sources: Sequence[Path],
    id: str | None,  # noqa: A002
    text: str | None,
    metadata: Sequence[str] | None,
    rows: int,
) -> Iterator[tuple[Batch, Columns]]:
    for whole, paths in groupby(sources, key=is_document):
        if whole:
            columns = Columns(None, "text", ())
            yield from ((batch, columns) for batch in read_documents(paths, rows))
        else:
            for path in paths:
                yield from _one_file(path, id, text, metadata, rows)


def _one_file(
    path: Path,
    id: str | None,  # noqa: A002
    text: str | None,
    metadata: Sequence[str] | None,
    rows: int,
) -> Iterator[tuple[Batch, Columns]]:
    chosen: Columns | None = None
    for batch in batches(path, rows):
        header = list(batch.columns)
        if chosen is None and header:
            chosen = detect_columns(header, id, text, metadata, source=str(path))
        if chosen is None:
            yield batch, Columns(None, "text", ())
        elif metadata is None:
            others = tuple(name for name in header if name not in (chosen.id, chosen.text))
            yield batch, Columns(chosen.id, chosen.text, others)
        else:
            yield batch, chosen


class Intake:
    """Takes batches in, stages what is kept as Parquet parts, and writes the corpus from them.

    Types and names of metadata columns are known only at the end, hence the two passes.
    """

    def __init__(self, folder: Path, log: RejectLog, root: Path) -> None:
        self._folder, self._log, self._root = folder, log, root
        self._seen = SeenRows()
        self._votes: dict[str, TypeVote] = {}
        self._parts: list[Path] = []
        self._waiting: list[pl.DataFrame] = []
        self._shown: dict[Path, str] = {}
        self._digest = hashlib.blake2b(digest_size=16)
        self._read = self._kept = 0
        self._rejected: Counter[str] = Counter()
        self._notes: Counter[str] = Counter()

    def add(self, batch: Batch, columns: Columns) -> None:
        """Take the rows of `batch`: reject, compare with those before, and stage the rest."""
        self._read += len(batch) + len(batch.rejected)
        for each in batch.rejected:
            self._reject(each.path, each.position, each.reason, each.content)
        frame = self._frame(batch, columns)
        frame = self._without_faults(batch, frame)
        frame = self._without_repeats(batch, _hashed(frame))
        if len(frame):
            self._kept += len(frame)
            self._waiting.append(frame.drop("row"))
            self._stage(GROUP_ROWS)

    def _source(self, path: Path) -> str:
        if path not in self._shown:
            inside = path.is_relative_to(self._root)
            self._shown[path] = (path.relative_to(self._root) if inside else path).as_posix()
        return self._shown[path]

    def _reject(self, path: Path, position: int, reason: str, content: str) -> None:
        self._rejected[reason] += 1
        self._log.write(self._source(path), position, reason, content)

    def _reject_rows(self, batch: Batch, rows: Sequence[int], reason: str) -> None:
        for row in rows:
            cells = {name: column[row] for name, column in batch.columns.items() if column[row]}
            content = excerpt(dump(cells))
            self._reject(batch.paths[row], batch.positions[row], reason, content)

    def _frame(self, batch: Batch, columns: Columns) -> pl.DataFrame:
        nothing: list[str | None] = [None] * len(batch)
        wanted = {"text": columns.text} | {RAW + name: name for name in columns.metadata}
        if columns.id:
            wanted["id"] = columns.id
        series = {
            name: pl.Series(batch.columns.get(column, nothing), dtype=pl.String)
            for name, column in wanted.items()
        }
        sources: list[str] = []
        for path, run in groupby(batch.paths):
            sources += [self._source(path)] * sum(1 for _ in run)
        source = pl.Series(sources, dtype=pl.String)
        return pl.DataFrame(series | {"source": source}).with_row_index("row")

    def _without_faults(self, batch: Batch, frame: pl.DataFrame) -> pl.DataFrame:
        faults = {"text": EMPTY_TEXT, "id": EMPTY_ID}
        for name, reason in faults.items():
            if name in frame.columns:
                empty = frame[name].str.strip_chars().fill_null("") == ""
                self._reject_rows(batch, frame["row"].filter(empty).to_list(), reason)
                frame = frame.filter(~empty)
        return frame

    def _without_repeats(self, batch: Batch, frame: pl.DataFrame) -> pl.DataFrame:
        ids, texts = frame["id_bits"].to_numpy(), frame["text_bits"].to_numpy()
        verdicts = self._seen.judge(ids, texts)
        rows = frame["row"].to_numpy()
        for verdict, reason in ((REPEATED, REPEATED_ROW), (OTHER_TEXT, REPEATED_ID)):
            self._reject_rows(batch, rows[verdicts.rows == verdict].tolist(), reason)
        if verdicts.repeated_texts:
            self._notes[REPEATED_TEXT] += verdicts.repeated_texts
        return frame.filter(pl.Series(verdicts.rows == 0)).drop("id_bits", "text_bits")

    def _stage(self, least: int) -> None:
        """Write parts of full row groups while `least` rows or too many characters wait."""
        while self._waiting:
            size = sum(frame["text"].str.len_bytes().sum() for frame in self._waiting)
            if sum(map(len, self._waiting)) < least and size < BATCH_LIMIT:
                return
            waiting = pl.concat(self._waiting, how="diagonal")
            rest = waiting.slice(GROUP_ROWS)
            self._waiting = [rest] if len(rest) else []
            self._write_part(waiting.slice(0, GROUP_ROWS))

    def _write_part(self, frame: pl.DataFrame) -> None:
        names = [name for name in frame.columns if name.startswith(RAW)]
        for name in names:
            self._votes.setdefault(name.removeprefix(RAW), TypeVote()).see(frame[name])
        hashes = _row_hashes(frame, sorted(names))
        self._digest.update("".join(hashes).encode())
        part = self._folder / f"part-{len(self._parts):06d}.parquet"
        frame.with_columns(pl.Series("row_hash", hashes, dtype=pl.String)).write_parquet(
            part, compression="lz4"
        )
        self._parts.append(part)

    def finish(self, sources: int, out: Path) -> CorpusReport:
        """Write the corpus at `out` and say what became of the rows."""
        self._stage(1)
        if not self._kept:
            raise InputError(_nothing_kept(sources, self._read, self._rejected))
        names = sql_names(self._votes)
        kinds = {name: self._votes[name].kind for name in names}
        _write(self._parts, out, names, kinds)
        return CorpusReport(
            sources=sources,
            read=self._read,
            kept=self._kept,
            rejected=dict(sorted(self._rejected.items())),
            notes=dict(sorted(self._notes.items())),
            columns={names[name]: kind for name, kind in kinds.items()},
            renamed={old: new for old, new in names.items() if old != new},
            digest=self._digest.hexdigest(),
        )


def _nothing_kept(sources: int, read: int, rejected: Counter[str]) -> str:
    reasons = ", ".join(f"{count} {reason}" for reason, count in rejected.most_common(5))
    return (
        f"found no usable row among {read} in {sources} file(s) ({reasons or 'no rows'});"
        " expected at least one text; check the files and params.yaml: ingest.text and ingest.id"
    )


def _hashed(frame: pl.DataFrame) -> pl.DataFrame:
    """Add text_hash, the id where there is none, and the first 64 bits of both hashes."""
    texts = frame["text"].to_list()
    raw = b"".join(hashlib.blake2b(text.encode(), digest_size=16).digest() for text in texts)
    digits = raw.hex()
    hashes = pl.Series(
        "text_hash", [digits[at : at + 32] for at in range(0, len(digits), 32)], dtype=pl.String
    )
    text_bits = np.frombuffer(raw, dtype="<u8")[::2].astype(np.uint64)
    id_bits = text_bits
    ids = hashes
    if "id" in frame.columns:
        ids = frame["id"].str.strip_chars()
        id_bits = ids.hash(seed=1).to_numpy()
    return frame.with_columns(
        ids.alias("id"),
        hashes,
        pl.Series("id_bits", id_bits, dtype=pl.UInt64),
        pl.Series("text_bits", text_bits, dtype=pl.UInt64),
    )


def _row_hashes(frame: pl.DataFrame, names: Sequence[str]) -> list[str]:
    """Hash id, text, source and the non-null metadata, each led by its length in bytes."""
    fields = [_led(pl.col("id")), pl.col("text_hash"), _led(pl.col("source"))]
    for name in names:
        title = name.removeprefix(RAW)
        fields.append((pl.lit(f"{len(title)}:{title}=") + _led(pl.col(name))).fill_null(""))
    rows = frame.select(pl.concat_str(fields).alias("row"))["row"]
    return [hashlib.blake2b(row.encode(), digest_size=16).hexdigest() for row in rows.to_list()]


def _led(column: pl.Expr) -> pl.Expr:
    return column.str.len_bytes().cast(pl.String) + ":" + column


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
    with reading(path):
        return pl.read_parquet(path, columns=list(KEYS))
