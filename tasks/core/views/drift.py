"""Which texts moved between two versions of a view: another label, other neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tasks.core.numerics.rows import nearest, unit_rows
from tasks.core.store import tables
from tasks.core.views.view_rows import Rows

POOL = 10_000  # texts among which neighbours are sought: 1 s a side on one core at 100 dimensions
SEED = 1


@dataclass(frozen=True)
class Movement:
    """What became of the `common` texts of two versions.

    texts: id, label_old, label_new, and kept, the share in [0, 1] of the `k` nearest neighbours
    among the `compared` texts that both versions agree on; null where a text was not compared.
    What moved most comes first: changed labels, then neighbours lost.
    """

    common: int
    compared: int
    k: int
    labels_changed: int
    kept: float | None
    texts: pl.DataFrame


def movement(old: Rows, new: Rows, k: int, most: int, pool: int = POOL) -> Movement:
    """Compare two versions of a view by the texts that both hold.

    Above `pool` common texts, neighbours are compared within a seeded sample of that many.
    """
    both = _labels(old).join(_labels(new), on="id", suffix="_new").sort("id")
    both = both.rename({"label": "label_old"})
    ids = both["id"]
    if len(ids) > pool:
        ids = ids.sample(pool, seed=SEED).sort()
    depth = min(k, len(ids) - 1)
    share = _kept(_vectors(old, ids), _vectors(new, ids), depth) if depth > 0 else None
    compared = pl.DataFrame({"id": ids, "kept": share if share is not None else [None] * len(ids)})
    rows = both.join(compared.cast({"kept": pl.Float64}), on="id", how="left")
    changed = pl.col("label_old") != pl.col("label_new")
    moved = rows.filter(changed | (pl.col("kept") < 1))
    order = [changed.not_(), pl.col("kept"), pl.col("id")]
    return Movement(
        common=len(both),
        compared=len(ids),
        k=depth,
        labels_changed=rows.filter(changed).height,
        kept=None if share is None else float(share.mean()),
        texts=moved.sort(order, nulls_last=True).head(most),
    )


def _labels(view: Rows) -> pl.DataFrame:
    return _frame(view, ["id", "label"], None)


def _vectors(view: Rows, ids: pl.Series) -> NDArray[np.float32]:
    """Return the unit vectors (n, d) of `ids`, which are sorted, in their order."""
    rows = _frame(view, ["id", tables.VECTOR], ids).sort("id")
    return unit_rows(rows[tables.VECTOR].to_numpy())


def _frame(view: Rows, names: list[str], ids: pl.Series | None) -> pl.DataFrame:
    parts = view.parts(names)
    wanted = pl.lit(value=True) if ids is None else pl.col("id").is_in(ids.implode())
    return pl.concat(part.filter(wanted) for part in parts)


def _kept(old: NDArray[np.float32], new: NDArray[np.float32], k: int) -> NDArray[np.float64]:
    """Return |N_old(i) ∩ N_new(i)| / k for each row i; N are its k nearest by cosine."""
    before, after = (nearest(x, np.arange(len(x)), k) for x in (old, new))
    return np.concatenate(
        [
            (one[:, :, None] == other[:, None, :]).any(axis=2).sum(axis=1) / k
            for one, other in zip(before, after, strict=True)
        ]
    )
