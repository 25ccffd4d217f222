"""The first pass over the documents: reject, compare, hash and stage."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from itertools import groupby
from operator import methodcaller
from pathlib import Path

import numpy as np
import polars as pl

from tasks.core.documents.deduplication import NEW, OTHER_TEXT, REPEATED, SeenRows
from tasks.core.documents.metadata import TypeVote
from tasks.core.documents.quarantine import RejectLog
from tasks.core.documents.sources import inside
from tasks.core.documents.tally import Tally
from tasks.core.readers.columns import COLUMN_LIMIT, Columns, more_columns
from tasks.core.readers.records import BATCH_LIMIT, Batch, dump, excerpt

RAW = "raw:"  # marks a metadata column by its own name until all names are known

MODULUS = 1 << 128  # of sums of digests
UNNAMED = re.compile(r"column_\d+")  # see records.column_names

EMPTY_TEXT = "empty text"
EMPTY_ID = "empty id"
REPEATED_ROW = "repeated row"
REPEATED_ID = "id repeated with another text"
REPEATED_TEXT = "text repeated under another id"


class Intake:
    """Take batches in, count and log what is rejected, and stage the rest as Parquet parts.

    The parts hold metadata as strings, each column by its own name behind `RAW`: types and SQL
    names are known only when all has been seen. Of each source, by its place in `sources`, `read`
    and `kept` count rows; `tallies` has what more is to be said, by its name in the corpus. The
    log is in the order of `sources`.
    """

    def __init__(
        self, folder: Path, log: RejectLog, root: Path, sources: Sequence[Path], group_rows: int
    ) -> None:
        self._folder, self._log = folder, log
        self._group_rows = group_rows
        self._seen = SeenRows()
        self._shown = {path: inside(path, root) for path in sources}
        self._at = {name: at for at, name in enumerate(self._shown.values())}
        self.read, self.kept = np.zeros((2, len(sources)), dtype=np.uint32)
        self.tallies: defaultdict[str, Tally] = defaultdict(Tally)
        self.parts: list[Path] = []
        self._waiting: list[pl.DataFrame] = []
        self._rows = self._size = 0  # that wait, and the bytes of their texts
        self._refused: list[tuple[str, int, str, str]] = []  # of the batch at work
        self.digest = 0
        self._names: dict[str, None] = {}  # of metadata columns that are kept
        self._left: set[str] = set()

    def add(self, path: Path | None, batch: Batch, columns: Columns) -> None:
        """Take the rows of `batch`: reject, compare with those before, and stage the rest.

        path: of all its rows, or None for a batch of whole documents.
        """
        columns = self._limited(columns)
        for each in batch.rejected:
            self._reject(each.path, each.position, each.reason, each.content)
        frame = self._frame(batch, columns)
        frame = self._without_faults(batch, frame)
        frame = self._without_repeats(batch, _hashed(frame))
        self._count(path, batch, frame, columns)
        self._log_refused()
        if len(frame):
            self._waiting.append(frame.drop("row"))
            self._rows += len(frame)
            self._size += int(frame["text"].str.len_bytes().sum())
            self._stage(self._group_rows)

    def _limited(self, columns: Columns) -> Columns:
        """Leave out the metadata of columns that are too many for a table."""
        for name in columns.metadata:
            if len(self._names) < COLUMN_LIMIT:
                self._names.setdefault(name)
            elif name not in self._names:
                self._left.add(name)
        if not self._left:
            return columns
        kept = tuple(name for name in columns.metadata if name in self._names)
        return Columns(columns.id, columns.text, kept)

    @property
    def too_wide(self) -> str:
        """What to say of columns that were left out, being too many; empty where none were."""
        if not self._left:
            return ""
        return more_columns(f"{len(self._names) + len(self._left):,} columns")

    def _count(self, path: Path | None, batch: Batch, kept: pl.DataFrame, columns: Columns) -> None:
        if path is None:
            for each in (*batch.paths, *(reject.path for reject in batch.rejected)):
                self.read[self._at[self._shown[each]]] += 1
            for name in kept["source"].to_list():
                self.kept[self._at[name]] += 1
            return
        name = self._shown[path]
        self.read[self._at[name]] += len(batch) + len(batch.rejected)
        self.kept[self._at[name]] += len(kept)
        tally = self.tallies[name]
        tally.remarks += batch.remarks
        tally.names |= dict.fromkeys(columns.metadata)
        if len(kept):
            for column in columns.metadata:
                tally.votes.setdefault(column, TypeVote()).see(kept[RAW + column])

    def _reject(self, path: Path, position: int, reason: str, content: str) -> None:
        name = self._shown[path]
        self.tallies[name].reject(reason)
        self._refused.append((name, position, reason, content))

    def _log_refused(self) -> None:
        """Write down what was rejected of a batch, in the order of its sources."""
        for each in sorted(self._refused, key=lambda row: self._at[row[0]]):
            self._log.write(*each)
        self._refused.clear()

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
            sources += [self._shown[path]] * sum(1 for _ in run)
        source = pl.Series(sources, dtype=pl.String)
        frame = pl.DataFrame(series | {"source": source}).with_row_index("row")
        given = [pl.col(RAW + name) for name in columns.metadata]
        return frame.with_columns(pl.when(each != "").then(each).name.keep() for each in given)

    def _without_faults(self, batch: Batch, frame: pl.DataFrame) -> pl.DataFrame:
        faults = {"text": EMPTY_TEXT, "id": EMPTY_ID}
        for name, reason in faults.items():
            if name in frame.columns:
                empty = frame[name].str.strip_chars().fill_null("") == ""
                self._reject_rows(batch, frame["row"].filter(empty).to_list(), reason)
                frame = frame.filter(~empty)
        return frame

    def _without_repeats(self, batch: Batch, frame: pl.DataFrame) -> pl.DataFrame:
        ids, texts = id_bits(frame["id"]), frame["text_bits"].to_numpy()
        verdicts = self._seen.judge(ids, texts)
        rows = frame["row"].to_numpy()
        for verdict, reason in ((REPEATED, REPEATED_ROW), (OTHER_TEXT, REPEATED_ID)):
            self._reject_rows(batch, rows[verdicts == verdict].tolist(), reason)
        again = frame.filter(pl.Series(verdicts != NEW))
        for name, key in zip(again["source"], id_keys(again["id"]).tolist(), strict=True):
            self.tallies[name].repeats.append(key)
        return frame.filter(pl.Series(verdicts == NEW)).drop("text_bits")

    def _stage(self, least: int) -> None:
        """Write parts of full row groups while `least` rows or too long texts wait."""
        while self._rows >= least or self._size >= BATCH_LIMIT:
            waiting = pl.concat(self._waiting, how="diagonal")
            rest = waiting.slice(self._group_rows)
            self._waiting, self._rows = [rest], len(rest)
            self._size = int(rest["text"].str.len_bytes().sum())
            self._write_part(waiting.slice(0, self._group_rows))

    def _write_part(self, frame: pl.DataFrame) -> None:
        raw = _row_digests(frame, sorted(name for name in frame.columns if name.startswith(RAW)))
        self.digest = (self.digest + total(raw)) % MODULUS
        part = self._folder / f"part-{len(self.parts):06d}.parquet"
        frame.with_columns(row_hash=_hexadecimal(raw)).write_parquet(part, compression="lz4")
        self.parts.append(part)

    def close(self) -> None:
        """Stage what still waits."""
        self._stage(1)

    def ids(self) -> np.ndarray:
        """Return the `id_bits` of all rows that were read and not empty, each once."""
        return self._seen.ids()

    def repeated_texts(self) -> int:
        """Return how many of the kept rows have the text of another."""
        return self._seen.repeated_texts()


def id_bits(ids: pl.Series) -> np.ndarray:
    """Return 64 bits of each id, (n,) uint64: quick, and to be compared in this process alone."""
    return ids.hash(seed=1).to_numpy()


def id_keys(ids: pl.Series) -> np.ndarray:
    """Return 64 bits of the BLAKE2b-128 of each id, (n,) uint64: the same on every machine."""
    return np.frombuffer(_digests(ids), dtype="<u8")[::2].astype(np.uint64)


def total(raw: bytes) -> int:
    """Return the sum of digests of 16 bytes each, modulo 2¹²⁸: it knows no order of rows.

    Each digest counts as an integer whose lowest byte comes first.
    """
    limbs = np.frombuffer(raw, dtype="<u4").reshape(-1, 4).sum(axis=0, dtype=np.uint64)
    return sum(int(limb) << (32 * at) for at, limb in enumerate(limbs)) % MODULUS


def text_hash(text: str) -> str:
    """Return the BLAKE2b-128 of `text` in UTF-8, as 32 hex digits."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _hashed(frame: pl.DataFrame) -> pl.DataFrame:
    """Add text_hash, the id where there is none, and 64 bits of the text's hash."""
    raw = _digests(frame["text"])
    hashes = _hexadecimal(raw)
    ids = frame["id"].str.strip_chars() if "id" in frame.columns else hashes
    bits = np.frombuffer(raw, dtype="<u8")[::2].astype(np.uint64)
    return frame.with_columns(
        ids.alias("id"),
        hashes.alias("text_hash"),
        pl.Series("text_bits", bits, dtype=pl.UInt64),
    )


def _digests(texts: pl.Series) -> bytes:
    """Return the BLAKE2b-128 of every text, 16 bytes each, one after the other."""
    hashes = map(partial(hashlib.blake2b, digest_size=16), map(str.encode, texts.to_list()))
    return b"".join(map(methodcaller("digest"), hashes))


def _hexadecimal(raw: bytes) -> pl.Series:
    digits = raw.hex()
    return pl.Series([digits[at : at + 32] for at in range(0, len(digits), 32)], dtype=pl.String)


def _row_digests(frame: pl.DataFrame, names: Sequence[str]) -> bytes:
    """Hash id, text, source and the non-null metadata, each led by its length in bytes."""
    fields = [_led(pl.col("id")), pl.col("text_hash"), _led(pl.col("source"))]
    for name in names:
        title = name.removeprefix(RAW)
        fields.append((pl.lit(f"{len(title)}:{title}=") + _led(pl.col(name))).fill_null(""))
    return _digests(frame.select(row=pl.concat_str(fields))["row"])


def _led(column: pl.Expr) -> pl.Expr:
    return column.str.len_bytes().cast(pl.String) + ":" + column
