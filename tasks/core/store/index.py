"""Indices of ids, text hashes, words and vectors: made once, then extended by what is new.

An index is a row of segments: the oldest holds most rows, each change adds a small one. Newer
segments are merged as soon as they are half as large as the one before, so that there are few, of
sizes that double, and a change costs what is new. `maintain` merges them all.
"""

from __future__ import annotations

from pathlib import Path

from tasks.core.remote.driving import driving
from tasks.core.store import making, recall
from tasks.core.store.tables import VECTOR, count, open_table
from tasks.core.workspace.exhaustion import naming_table

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
    making.extend_keys(table)
    dataset = open_table(table)
    made = making.of_column(dataset, VECTOR)
    first, *later = (0,) if made is None else making.rows_of(dataset, made)
    if sum(later) >= first:  # the partitions are those of the first half
        making.make(table)
    else:
        making.extend(table, made, keep=1)
    return True


@naming_table
def index_keys(table: Path) -> None:
    """Index ids and text hashes once `_UNKEYED` rows are not: what a chunk looks up by."""
    if making.unkeyed(table) >= _UNKEYED:
        making.extend_keys(table)


@naming_table
def merge(table: Path) -> bool:
    """Make each index one segment and measure anew; False where each is one that was measured."""
    dataset = open_table(table)
    indices = dataset.describe_indices()
    many = [made for made in indices if len(made.segments) > 1 or making.rows_of(dataset, made)[-1]]
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


@naming_table
def index_words(table: Path) -> None:
    """Index the words of the texts, of however many rows: a client cannot look for them without.

    Nothing is taken for a word of English or any other language: none is left out, or cut to its
    stem. Rows that are gone are found no more at once; new ones are taken in here.
    """
    made = making.of_column(open_table(table), TEXT)
    if made is not None:
        making.extend(table, made, keep=0)
        return
    with driving(table):
        open_table(table).create_scalar_index(TEXT, "INVERTED", **_WORDS)
