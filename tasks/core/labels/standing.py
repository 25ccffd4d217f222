"""Which rows stand for their texts: rows with their places, settled file by file, then together."""

from __future__ import annotations

from collections import Counter

import polars as pl

from tasks.core.labels.cells import EMPTY
from tasks.core.labels.matching import Places
from tasks.core.labels.multilabel import joined
from tasks.core.labels.precedence import OVERRULED, source_of
from tasks.core.labels.rows import LabelRows
from tasks.core.labels.votes import DECIDED, JOINED, OUTVOTED, settle, settle_files
from tasks.core.text.same_text import TextKeys


def judged(rows: LabelRows, places: Places, keys: TextKeys) -> pl.DataFrame:
    """Return a label file's rows by the ids they are about; a text may stand under several ids.

    Columns row, id, text_hash, label, source, reason, unplaced: without a text of the corpus.
    """
    labels = [joined(answer.labels) for answer in rows.answers]
    said = [
        answer.reason or (None if label else EMPTY)
        for answer, label in zip(rows.answers, labels, strict=True)
    ]
    frame = pl.DataFrame(
        {
            "id": pl.Series(places.ids, dtype=pl.String),
            "text_hash": pl.Series(places.hashes, dtype=pl.String),
            "label": pl.Series(labels, dtype=pl.String),
            "source": pl.Series(map(source_of, rows.sources), dtype=pl.String),
            "reason": pl.Series(
                (a or b for a, b in zip(said, places.reasons, strict=True)), dtype=pl.String
            ),
            "unplaced": pl.Series(
                (reason is not None for reason in places.reasons), dtype=pl.Boolean
            ),
        }
    ).with_row_index("row")
    here = ~pl.col("unplaced")
    by_id = frame.filter(here & pl.col("text_hash").is_null()).drop("text_hash")
    by_text = frame.filter(here & pl.col("text_hash").is_not_null()).drop("id")
    found = [
        frame.filter(~here),
        by_id.join(_known(keys, "id", by_id), on="id"),
        by_text.join(
            _known(keys, "text_hash", by_text), on="text_hash", maintain_order="left_right"
        ),
    ]
    whole = pl.concat([each.select(frame.columns) for each in found]).sort(
        "row", maintain_order=True
    )
    return settle(whole, rows.annotators)


def _known(keys: TextKeys, column: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Look up ids and hashes of the texts that `rows` name by `column`."""
    nothing = pl.DataFrame(schema={"id": pl.String, "text_hash": pl.String})
    asked = rows[column].drop_nulls().unique().to_list()
    found = keys(column, asked) if asked else ()
    return pl.concat([nothing, *(frame.select(nothing.columns) for frame in found)])


def together(files: list[pl.DataFrame]) -> pl.DataFrame:
    """Join the rows of an instruction's files, and settle anew what several files say of a text."""
    stands = pl.col("reason").is_null() | (pl.col("reason") == OVERRULED)
    every = pl.concat(
        [each.with_columns(file=pl.lit(at), stands=stands) for at, each in enumerate(files)]
    )
    return every if len(files) == 1 else settle_files(every)


def dropped(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a label file that are not used at all, each with the reason."""
    used = rows.filter(pl.col("reason").is_null() | (pl.col("reason") == JOINED))["row"].unique()
    left = rows.filter(~pl.col("row").is_in(used.implode()))
    return left.unique("row", keep="first", maintain_order=True).sort("row")


def decided(every: pl.DataFrame) -> Counter[str]:
    """Count the rows that add a label to their text, and the texts that a majority has labelled."""
    rows = every.filter(pl.col("reason") == JOINED)["row"].n_unique()
    texts = every.filter(pl.col("reason") == OUTVOTED)["id"].n_unique()
    return Counter({JOINED: rows, DECIDED: texts})
