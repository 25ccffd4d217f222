"""Which rows are laid out themselves: a sample that knows every label."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tasks.core.store import arrow

POINTS = 5_000  # rows laid out: 2 s of a core for 75 dimensions
OF_LABELS = 4  # a quarter of them is shared out to the labels, as many to each


def drawn(
    keys: NDArray[np.uint64],
    labels: NDArray[np.uint64] | None,
    first: Collection[str],
    points: int,
) -> NDArray[np.int64]:
    """Return the positions of at most `points` of the rows (n,), ascending.

    keys: the hash of each id; by it rows are drawn, so that samples of a growing corpus overlap.
    labels: a hash of each row's label, if there are any. first: ids of texts that people have
    labelled: they come first, up to half of the sample.
    """
    if len(keys) <= points:
        return np.arange(len(keys))
    known = np.isin(keys, arrow.hash64(pl.Series(list(first), dtype=pl.String)))
    rows = pl.DataFrame({"key": keys, "label": keys if labels is None else labels, "known": known})
    share = points // (OF_LABELS * rows["label"].n_unique()) if labels is not None else 0
    rank = pl.col("key").rank("ordinal")
    tier = (
        pl.when(pl.col("known") & (rank.over("known") <= points // 2))
        .then(0)
        .when(rank.over("label") <= share)
        .then(1)
        .otherwise(2)
    )
    order = rows.select(tier.alias("tier"), "key").with_row_index("row").sort("tier", "key")
    return np.sort(order["row"].head(points).to_numpy()).astype(np.int64)
