"""What separates the base table from the corpus: told by the corpus itself, or by hashes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tasks.core.store import arrow, comparing, layout, stable_rows, tables

FEW = 4_000  # rows that are looked up one by one; for more a column is read as a whole
MOST = 0.1  # share of a corpus that came or went from which comparing hashes costs no more


@dataclass(frozen=True)
class Plan:
    """What separates the base table from the corpus."""

    rows: np.ndarray  # numbers of corpus rows that are new or changed (see `stable_rows`)
    to_encode: int  # of these, rows whose text has no vector yet
    gone: int  # rows of the table that the corpus no longer holds


@dataclass(frozen=True)
class Made:
    """The version of the corpus that a base table was made of, and what names its content."""

    version: int
    content: str


def plan(corpus: Path, table: Path, *, rebuild: bool, made_of: Made | None = None) -> Plan:
    """Tell what separates the table from the corpus: 16 bytes of memory a row at most.

    made_of: the corpus that the table holds, if that is known: what changed since is told by the
    corpus itself where that version is at hand, else by comparing row hashes.
    """
    if rebuild or not layout.exists(table):
        rows = stable_rows.numbers(corpus)
        return Plan(rows, len(rows), 0)
    since = None
    if made_of is not None:
        since = stable_rows.between(corpus, made_of.version, made_of.content)
    few = MOST * tables.count(corpus)
    if made_of is None or since is None or max(len(since.arrived), len(since.gone)) > few:
        return _compared(corpus, table)
    went = _ids(corpus, since.gone, made_of.version)
    gone = ~comparing.among(went, _ids(corpus, since.arrived, None))
    return Plan(since.arrived, _without_vector(corpus, table, since.arrived), int(gone.sum()))


def _ids(corpus: Path, rows: np.ndarray, version: int | None) -> np.ndarray:
    """Return the hashes of the ids of a few rows, ascending."""
    if not len(rows):
        return np.empty(0, np.uint64)
    return np.sort(arrow.hash64(stable_rows.take(corpus, rows, ["id"], version).column("id")))


def _compared(corpus: Path, table: Path) -> Plan:
    have = tables.hashes(table, "row_hash")
    have.sort()
    parts = [
        rows[~comparing.among(arrow.hash64(values), have)]
        for rows, values in stable_rows.numbered(corpus, "row_hash")
    ]
    del have
    ids = tables.hashes(corpus, "id")
    ids.sort()
    gone = comparing.strangers(table, "id", ids)
    rows = np.sort(np.concatenate([np.empty(0, np.uint64), *parts]))
    return Plan(rows, _without_vector(corpus, table, rows), len(gone))


def _without_vector(corpus: Path, table: Path, rows: np.ndarray) -> int:
    """Count the rows, by ascending numbers, whose text the table does not hold under any id."""
    if not len(rows):
        return 0
    if len(rows) <= FEW:
        texts = stable_rows.take(corpus, rows, ["text_hash"]).column("text_hash").to_pylist()
        held = tables.where_in(table, "text_hash", sorted(set(texts)), ["text_hash"])
        known = set(held.column("text_hash").to_pylist())
        return sum(text not in known for text in texts)
    have = tables.hashes(table, "text_hash")
    have.sort()
    found = 0
    for numbers, values in stable_rows.numbered(corpus, "text_hash"):
        new = ~comparing.among(arrow.hash64(values), have)
        found += int(comparing.among(numbers[new], rows).sum())
    return found


def parted(corpus: Path, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Part rows, by ascending numbers: those in which a text stands first, and those that repeat.

    These find their vector once the first are committed, whoever encodes them and when. 9 bytes of
    memory a row, and some 40 for each row whose text is there twice.
    """
    hashes = np.empty(len(rows), np.uint64)
    for at, some in _text_hashes(corpus, rows):
        hashes[at] = some
    hashes.sort()
    twice = np.unique(hashes[1:][hashes[1:] == hashes[:-1]])
    del hashes
    if not len(twice):
        return rows, rows[:0]
    parts = []
    for at, some in _text_hashes(corpus, rows):
        held = comparing.among(some, twice)
        parts.append((at[held], some[held]))
    at, some = map(np.concatenate, zip(*parts, strict=True))
    order = np.argsort(at)
    at, some = at[order], some[order]
    repeats = np.zeros(len(rows), bool)
    repeats[at] = True
    repeats[at[np.unique(some, return_index=True)[1]]] = False
    return rows[~repeats], rows[repeats]


def _text_hashes(corpus: Path, rows: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Stream places in `rows` with the hashes of the texts of these rows, in any order."""
    if len(rows) <= FEW:
        texts = stable_rows.take(corpus, rows, ["text_hash"]).column("text_hash")
        yield np.arange(len(rows)), arrow.hash64(texts)
        return
    for numbers, values in stable_rows.numbered(corpus, "text_hash"):
        inside = comparing.among(numbers, rows)
        yield np.searchsorted(rows, numbers[inside]), arrow.hash64(values)[inside]
