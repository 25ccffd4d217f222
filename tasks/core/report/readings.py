"""What a view says of its texts, as figures and as lists of texts worth a look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa

from tasks.core import store
from tasks.core.report.atlas import excerpt


@dataclass(frozen=True)
class Readings:
    """The live rows of a view.

    likeliest: how many of the `texts` each label is the likeliest of. novel, boundary: texts
    without a label that are worth one, with id, text, label, confidence and novelty: those that
    look least like any label, and of those that likely have a known one, the least sure.
    """

    texts: int
    likeliest: dict[str, int]
    novel: pl.DataFrame
    boundary: pl.DataFrame


def readings(base: Path, view: Path, known: Mapping[str, str], most: int) -> Readings:
    """Read a view's live rows; list at most `most` texts of each kind."""
    names, version = ["id", "label", "confidence", "novelty"], store.live_version(view)
    rows = pl.concat(
        [pl.DataFrame(pa.table(batch)) for batch in store.batches(view, names, version=version)]
    )
    counts = rows.group_by("label").len().sort("len", "label", descending=[True, False])
    open_ = rows.filter(~pl.col("id").is_in(list(known)))
    novel = open_.sort("novelty", "id", descending=[True, False]).head(most)
    rest = open_.filter(~pl.col("id").is_in(novel["id"].implode()))
    boundary = rest.filter(pl.col("novelty") < 0.5).sort("confidence", "id").head(most)
    likeliest = dict(counts.select("label", "len").iter_rows())
    return Readings(len(rows), likeliest, _with_texts(base, novel), _with_texts(base, boundary))


def _with_texts(base: Path, rows: pl.DataFrame) -> pl.DataFrame:
    texts = pl.DataFrame(store.where_in(base, "id", rows["id"].to_list(), ["id", "text"]))
    shortened = texts.with_columns(pl.col("text").map_elements(excerpt, return_dtype=pl.String))
    return rows.join(shortened, on="id", how="left", maintain_order="left")
