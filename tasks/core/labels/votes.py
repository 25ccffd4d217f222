"""Several rows of one text: what its annotators say together, or its several labels.

What rows of one id mean depends on the file. Exports of several annotators have a row an answer:
more than half of them decide. A table of labels in long form has a row a label: all of them are
the text's. A file in which no text has the same label twice is of the second kind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import polars as pl

from tasks.core.labels.cells import majority
from tasks.core.labels.multilabel import joined, members
from tasks.core.labels.precedence import CONFLICT, OVERRULED, RANK, REPEATED, sift

OUTVOTED = "outvoted by other annotators"
JOINED = "row that adds a label to its text"  # used, and so no reason to be in the rejects
DECIDED = "text labelled by a majority"


def settle(frame: pl.DataFrame, voters: Sequence[str | None] | None) -> pl.DataFrame:
    """Give each row of one label file the reason why it does not stand for its text, or null.

    frame: columns id, label, source, row, and reason, null for rows to settle; the first row of a
    text that counts gets the label or labels of all that do. voters: who answered, by row, where a
    column says so.
    """
    left = frame.filter(pl.col("reason").is_null()).drop("reason")
    gone = frame.filter(pl.col("reason").is_not_null())
    repeated = bool(left.select(pl.struct("id", "label").is_duplicated().any()).item())
    if voters is None and not repeated:
        who = [""] * len(left)  # one person who gives several labels
    elif voters is None:
        who = [str(row) for row in left["row"]]
    else:
        who = [voters[row] or "" for row in left["row"]]
    judged = _settled(left.with_columns(who=pl.Series(who, dtype=pl.String)))
    return pl.concat([judged, gone], how="diagonal").sort("row", maintain_order=True)


def settle_files(frame: pl.DataFrame) -> pl.DataFrame:
    """Reduce the rows of several files to one label a text; each file is an annotator."""
    left = frame.filter(pl.col("reason").is_null()).drop("reason")
    gone = frame.filter(pl.col("reason").is_not_null())
    judged = _settled(left.with_columns(who=pl.col("file").cast(pl.String)))
    return pl.concat([judged, gone], how="diagonal")


def _settled(left: pl.DataFrame) -> pl.DataFrame:
    rank = pl.col("source").replace_strict(RANK, return_dtype=pl.Int64)
    frame = sift(left, [(rank > rank.min().over("id"), OVERRULED)]).with_row_index("_at")
    open_rows = frame.filter(pl.col("reason").is_null())
    apart = open_rows.filter(pl.col("label").n_unique().over("id") > 1)
    reasons, labels = frame["reason"].to_list(), frame["label"].to_list()
    rows_of: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for at, key, label, who in apart.select("_at", "id", "label", "who").iter_rows():
        rows_of[key].append((at, label, who))
    for rows in rows_of.values():
        _vote(rows, reasons, labels)
    frame = frame.with_columns(
        reason=pl.Series(reasons, dtype=pl.String), label=pl.Series(labels, dtype=pl.String)
    )
    counts = pl.col("reason").is_null()
    again = counts & ~pl.struct("id", counts).is_first_distinct()
    settled = pl.when(again).then(pl.lit(REPEATED)).otherwise(pl.col("reason"))
    return frame.with_columns(reason=settled).drop("_at", "who")


def _vote(rows: list[tuple[int, str, str]], reasons: list[str | None], labels: list[str]) -> None:
    """Let the annotators of one text decide; `rows` are (position, label, annotator)."""
    given: dict[str, set[str]] = defaultdict(set)
    for _, label, who in rows:
        given[who].update(members(label))
    won = majority([tuple(each) for each in given.values()]).labels
    if not won:
        for at, *_ in rows:
            reasons[at] = CONFLICT
        return
    first = True
    for at, label, _ in rows:
        if not set(members(label)) <= set(won):
            reasons[at] = OUTVOTED
        elif first:
            labels[at], first = joined(won), False
        else:
            reasons[at] = JOINED if set(members(label)) != set(won) else REPEATED
    if first:  # each row says more than what a majority says: the first one speaks for all
        at = rows[0][0]
        reasons[at], labels[at] = None, joined(won)
