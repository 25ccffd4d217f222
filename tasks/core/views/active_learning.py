"""The texts of a view that are worth labelling next.

Uncertainty sampling (Lewis and Gale, "A Sequential Algorithm for Training Text Classifiers", SIGIR
1994), one text per cluster of the most uncertain ones (Zhdanov, "Diverse mini-batch active
learning", 2019).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tasks.core.numerics.kmeans import kmeans
from tasks.core.numerics.rows import unit_rows
from tasks.core.store import arrow, tables
from tasks.core.views.near_duplicates import Distinct
from tasks.core.views.view_rows import Rows

NOVELTY = 0.2  # share of the novel ones; 0.35 and more taught a view less (measured 2026-11-22)
POOL = 10  # candidates per text wanted, of which one a cluster is taken; Zhdanov's β
NOVEL, BOUNDARY = "novel", "boundary"
COLUMNS = ("id", "label", "suggested", "confidence", "novelty", "why", "text")
_ROWS = 65_536  # of the view that are looked at together
_SEED = 1


def suggest(
    base: Path, view: Rows, labelled: Iterable[str], many: int, novelty: float = NOVELTY
) -> pl.DataFrame:
    """Return at most `many` texts in `COLUMNS`, `label` null; the most wanted of a kind first.

    A share `novelty` of them is NOVEL: the view gives them the greatest p_new, above 0 as by names
    alone none is. The others lie near a BOUNDARY: the likeliest label has the least share
    p / (1 - p_new) of what the labels have, and p_new < 1/2, as a text that is probably of no label
    is at no boundary between them. Where too few are, more NOVEL ones follow.
    labelled: ids that are no candidates. Of the view, only its readings are read, batch by batch.
    """
    known = with_twins(base, sorted(labelled))
    best = _candidates(view, known, POOL * many)
    chosen = _Chosen()
    for why in (NOVEL, BOUNDARY, NOVEL):  # each makes up for what the one before lacks
        first = why == NOVEL and not chosen.rows
        wanted = round(novelty * many) if first else many - len(chosen.rows)
        chosen.add(_pool(base, best[why]), wanted)
    frame = pl.DataFrame(chosen.rows, schema=SCHEMA)
    return frame.with_columns(label=pl.lit(None, pl.String)).select(COLUMNS)


SCHEMA = {
    "id": pl.String(),
    "suggested": pl.String(),
    "confidence": pl.Float32(),
    "novelty": pl.Float32(),
    "why": pl.String(),
    "text": pl.String(),
}


def with_twins(base: Path, ids: Sequence[str]) -> pl.Series:
    """Return `ids` and those of the same texts under other ids."""
    hashes = tables.where_in(base, "id", ids, ["text_hash"])["text_hash"].unique().to_pylist()
    twins = tables.where_in(base, "text_hash", hashes, ["id"])["id"].to_pylist()
    return pl.Series([*ids, *twins], dtype=pl.String).unique()


def _candidates(view: Rows, known: pl.Series, most: int) -> dict[str, pl.DataFrame]:
    """Return the `most` best rows of each kind, best first; ties are broken by id."""
    known_share = 1 - pl.col("novelty")
    share = pl.col("confidence") / pl.max_horizontal(known_share, "confidence", pl.lit(1e-6))
    rank = {NOVEL: -pl.col("novelty"), BOUNDARY: share}
    may_be = {NOVEL: pl.col("novelty") > 0, BOUNDARY: pl.col("novelty") < 0.5}
    best: dict[str, pl.DataFrame] = {}
    names = ["id", "label", "confidence", "novelty"]
    for part in view.parts(names, _ROWS):
        unknown = part.filter(~pl.col("id").is_in(known.implode()))
        for why, by in rank.items():
            ranked = unknown.filter(may_be[why]).with_columns(
                rank=by.cast(pl.Float64), why=pl.lit(why)
            )
            both = pl.concat([best[why], ranked]) if why in best else ranked
            best[why] = both.sort("rank", "id").head(most)
    return best


def _pool(base: Path, rows: pl.DataFrame) -> pl.DataFrame:
    """Add text, text_hash and base vector to candidates, and keep the first of each text."""
    names = ["id", "text", "text_hash", tables.VECTOR]
    found = pl.DataFrame(tables.where_in(base, "id", rows["id"].to_list(), names))
    joined = rows.join(found, on="id", how="inner", maintain_order="left")
    return joined.unique("text_hash", keep="first", maintain_order=True)


class _Chosen:
    """Texts that were taken, and their unit vectors, to which later ones must not be alike."""

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []
        self._distinct = Distinct()

    def add(self, pool: pl.DataFrame, many: int) -> None:
        """Take `many` of the pool: the best of each cluster, then the best of the others."""
        if many < 1 or not len(pool):
            return
        vectors = unit_rows(arrow.vectors_of(pool[tables.VECTOR].to_arrow()))
        rows = pool.drop(tables.VECTOR).rename({"label": "suggested"}).select(*SCHEMA)
        taken: list[int] = []
        for at in _one_per_cluster(vectors, many):
            if len(taken) == many:
                break
            if self._distinct.takes(vectors[at]):
                taken.append(at)
        self.rows += rows[sorted(taken)].to_dicts()


def _one_per_cluster(vectors: NDArray[np.float32], clusters: int) -> list[int]:
    """Return all rows, which are ranked: the first of each cluster before all others."""
    if len(vectors) <= clusters:
        return list(range(len(vectors)))
    found = kmeans(vectors, clusters, _SEED, rough=True)
    first = np.sort(np.unique(found, return_index=True)[1])
    rest = np.setdiff1d(np.arange(len(vectors)), first)
    return [*first.tolist(), *rest.tolist()]
