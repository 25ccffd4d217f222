"""Texts that no view has a part in choosing: those that cover the corpus, to begin with, or any.

The first by greedy k-means++ (Arthur and Vassilvitskii, "k-means++: the advantages of careful
seeding", SODA 2007) on the base vectors, with the labelled texts as the first centres. It reaches
rare kinds of texts as the farthest-first choice does, and prefers those that stand for many.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tasks.core.numerics.rows import unit_rows
from tasks.core.store import arrow, tables
from tasks.core.views.active_learning import COLUMNS, SCHEMA, with_twins
from tasks.core.views.near_duplicates import ALIKE

COVERS, DRAWN = "covers the corpus", "drawn at random"
SAMPLE = 10_000  # texts that are looked at, drawn evenly: 15 MB of vectors of 384 dimensions
CENTRES = 2_000  # labelled texts that count as covered; more cover little more
_SEED = 1


def cover(base: Path, labelled: Sequence[str], many: int) -> pl.DataFrame:
    """Return at most `many` texts in `active_learning.COLUMNS`, no two alike, the widest first.

    labelled: ids that are no candidates, nor are the same texts under other ids; what is near
    them is covered. Nothing is suggested, so that confidence, novelty and `suggested` are null.
    """
    known = with_twins(base, sorted(labelled))
    names = ["id", "text_hash", tables.VECTOR]
    sample = pl.DataFrame(tables.take(base, _drawn(tables.count(base)), names))
    pool = sample.filter(~pl.col("id").is_in(known.implode()))
    pool = pool.unique("text_hash", keep="first", maintain_order=True)
    centres = pl.DataFrame(tables.where_in(base, "id", sorted(labelled)[:CENTRES], names))
    chosen = spread(_vectors(pool), _vectors(centres), many)
    return _suggested(base, pool["id"].gather(chosen), COVERS)


def draw(base: Path, labelled: Sequence[str], many: int) -> pl.DataFrame:
    """Return at most `many` texts in the same columns, each as likely as any that has no label.

    labelled: ids that are no candidates, as above. The same texts come until there are more labels.
    """
    known, rows = with_twins(base, sorted(labelled)), tables.count(base)
    enough = min(rows, 2 * many + len(known))  # with some to spare for texts that are there twice
    at = np.random.default_rng(_SEED).choice(rows, enough, replace=False)
    found = pl.DataFrame(tables.take(base, np.sort(at), ["id", "text_hash"]))
    found = found.filter(~pl.col("id").is_in(known.implode())).sort("id")
    found = found.unique("text_hash", keep="first", maintain_order=True)
    ids = found["id"].sample(min(many, len(found)), shuffle=True, seed=_SEED)
    return _suggested(base, ids, DRAWN)


def _suggested(base: Path, ids: pl.Series, why: str) -> pl.DataFrame:
    texts = pl.DataFrame(tables.where_in(base, "id", ids.to_list(), ["id", "text"]))
    rows = pl.DataFrame({"id": ids}).join(texts, on="id", maintain_order="left")
    rows = rows.with_columns(why=pl.lit(why), label=pl.lit(None, pl.String))
    missing = [pl.lit(None, kind).alias(name) for name, kind in SCHEMA.items() if name not in rows]
    return rows.with_columns(missing).select(COLUMNS)


def spread(x: NDArray[np.float32], centres: NDArray[np.float32], many: int) -> list[int]:
    """Return at most `many` rows of x (n, d), each the one of a few that covers most of the rest.

    centres: (m, d), covered already; both have unit rows. The few are drawn in proportion to their
    distance 1 - cosine from what is covered, always the same ones. No two rows are `ALIKE`.
    """
    if not len(x):
        return []
    random = np.random.default_rng(_SEED)
    tries = 2 + int(np.log(max(many, 1)))  # as scikit-learn's seeding
    left = np.ones(len(x), bool)
    nearest = _uncovered(x, centres)
    chosen: list[int] = []
    while len(chosen) < many and left.any():
        if nearest is None:
            best = int(np.argmax(x @ x.mean(0)))  # the most usual text
            far = 1 - x @ x[best]
        else:
            best, far = _best(x, np.where(left, nearest, 0), left, random, tries)
        chosen.append(best)
        left &= far > 1 - ALIKE
        left[best] = False
        nearest = far if nearest is None else np.minimum(nearest, far)
    return chosen


def _best(
    x: NDArray[np.float32],
    weight: NDArray[np.float32],
    left: NDArray[np.bool_],
    random: np.random.Generator,
    tries: int,
) -> tuple[int, NDArray[np.float32]]:
    """Return the row among some that leaves least uncovered, and how far all are from it."""
    share = np.maximum(weight, 0).astype(np.float64)
    share = share if share.sum() > 0 else left.astype(np.float64)
    asked = np.unique(random.choice(len(x), size=tries, p=share / share.sum()))
    far = 1 - x @ x[asked].T
    rest = np.minimum(weight[:, None], far).sum(0)
    at = int(np.argmin(rest))
    return int(asked[at]), far[:, at]


def _uncovered(x: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Return how far each row is from the nearest centre; None where there are none."""
    if not len(centres):
        return None
    found: NDArray[np.float32] = 1 - (x @ centres.T).max(1)
    return found


def _drawn(rows: int) -> NDArray[np.int64]:
    """Return the positions that are looked at: all, or `SAMPLE` of them, always the same ones."""
    if rows <= SAMPLE:
        return np.arange(rows, dtype=np.int64)
    return np.sort(np.random.default_rng(_SEED).choice(rows, SAMPLE, replace=False))


def _vectors(rows: pl.DataFrame) -> NDArray[np.float32]:
    if not len(rows):
        return np.empty((0, 0), np.float32)
    return unit_rows(arrow.vectors_of(rows[tables.VECTOR].to_arrow()))
