"""Indices of ids, text hashes, words and vectors: made once, then extended by what is new.

An index is a row of segments: the oldest holds most rows, each change adds a small one. Newer
segments are merged as soon as they are half as large as the one before, so that there are few, of
sizes that double, and a change costs what is new. `maintain` merges them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tasks.core.remote.driving import driving
from tasks.core.store import making, recall
from tasks.core.store.tables import VECTOR, count, open_table
from tasks.core.workspace.exhaustion import naming_table

KEYS = ("id", "text_hash")
TEXT = "text"
_WORDS = {
    "base_tokenizer": "simple",
    "stem": False,
    "remove_stop_words": False,
    "with_position": True,  # or a question in quotes fails; 190 bytes a row of news instead of 127
}
_UNKEYED = 65_536  # rows that a look-up scans beside the index of a key: 2 ms


@naming_table
def index(table: Path, from_rows: int) -> bool:
    """Index keys and vectors from `from_rows` rows on; below that looking at every row is fast.

    How many partitions a search looks at is measured where the vectors' index is made; extending
    it keeps its partitions and that number, until as many rows are new as it was made from.
    """
    if count(table) < from_rows:
        return False
    _extend_keys(table)
    made = _of(open_table(table), VECTOR)
    if made is None:
        making.make(table)
    else:
        rows = _rows(open_table(table), made)
        if sum(rows[1:]) >= rows[0]:  # the partitions are those of the first half
            making.make(table)
        else:
            _extend(table, made, rows, keep=1)
    return True


@naming_table
def index_keys(table: Path) -> None:
    """Index ids and text hashes once `_UNKEYED` rows are not: what a chunk looks up by."""
    dataset = open_table(table)
    made = _of(dataset, KEYS[0])
    new = dataset.count_rows() if made is None else _rows(dataset, made)[-1]
    if new >= _UNKEYED:
        _extend_keys(table)


@naming_table
def merge(table: Path) -> bool:
    """Make each index one segment and measure anew; False where each is one that was measured."""
    dataset = open_table(table)
    indices = dataset.describe_indices()
    many = [made for made in indices if len(made.segments) > 1 or _rows(dataset, made)[-1]]
    if not many and recall.measured(dataset):
        return False
    for made in many:
        if VECTOR not in made.field_names:
            merged = len(made.segments)
            with driving(table):
                open_table(table).optimize.optimize_indices(
                    num_indices_to_merge=merged, index_names=[made.name]
                )
    if recall.vector_index(dataset) is not None:
        making.make(table)
    return True


def _of(dataset: Any, column: str) -> Any:
    """Return Lance's description of the index of a column, or None."""
    indices = dataset.describe_indices()
    return next((made for made in indices if column in made.field_names), None)


def _rows(dataset: Any, made: Any) -> list[int]:
    """Return the rows of each segment, the oldest first, and last those that are in none."""
    left = {fragment.fragment_id: fragment.physical_rows for fragment in dataset.get_fragments()}
    rows = [sum(left.pop(at, 0) for at in segment.fragment_ids) for segment in made.segments]
    return [*rows, sum(left.values())]


def _extend(table: Path, made: Any, rows: Sequence[int], keep: int) -> None:
    """Take the rows that are new into an index, with those newer segments that they weigh up.

    rows: as `_rows` returns them. keep: so many of the oldest segments are left as they are.
    """
    *segments, new = rows
    if not new:
        return
    merged, newer = 0, new
    for at, size in enumerate(reversed(segments[keep:]), start=1):
        merged = at if 2 * newer >= size else merged
        newer += size
    with driving(table):
        open_table(table).optimize.optimize_indices(
            num_indices_to_merge=merged, index_names=[made.name]
        )


@naming_table
def index_words(table: Path) -> None:
    """Index the words of the texts, of however many rows: a client cannot look for them without.

    Nothing is taken for a word of English or any other language: none is left out, or cut to its
    stem. Rows that are gone are found no more at once; new ones are taken in here.
    """
    dataset = open_table(table)
    made = _of(dataset, TEXT)
    if made is not None:
        _extend(table, made, _rows(dataset, made), keep=0)
        return
    with driving(table):
        open_table(table).create_scalar_index(TEXT, "INVERTED", **_WORDS)


def _extend_keys(table: Path) -> None:
    dataset = open_table(table)
    for column in KEYS:
        made = _of(dataset, column)
        if made is not None:
            _extend(table, made, _rows(dataset, made), keep=0)
        elif column in dataset.schema.names:
            with driving(table):
                open_table(table).create_scalar_index(column, "BTREE")
