"""The same texts on two maps: as the base vectors have them, and as a view has them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tasks.core.numerics.rows import unit_rows
from tasks.core.store import frames, tables
from tasks.core.text.brief import short

POINTS = 1_200  # texts on a map: 9 s of one core for each projection
STEPS = 500  # of t-SNE; 250 of them exaggerated, as in scikit-learn
PERPLEXITY = 30.0  # default of scikit-learn; van der Maaten and Hinton advise 5 to 50
EXCERPT = 240  # characters of a text that a map carries

Plane = NDArray[np.float64]


@dataclass(frozen=True)
class Atlas:
    """Two maps of n texts, each coordinate in [-1, 1].

    texts: id, text, label, confidence, novelty, and known, the label that it was given or null.
    before, after: (n, 2), in the same order.
    """

    texts: pl.DataFrame
    before: Plane
    after: Plane


def atlas(base: Path, view: Path, known: dict[str, str], seed: int, points: int = POINTS) -> Atlas:
    """Map a seeded sample of a view's texts; up to half of them carry a label (id → label)."""
    version = tables.live_version(view)
    texts = frames.whole(view, ["id"], version)["id"].sort()
    ids = _sample(texts, sorted(known), seed, points)
    columns = ["id", tables.VECTOR, "label", "confidence", "novelty"]
    seen = pl.DataFrame(tables.where_in(view, "id", ids, columns, version))
    generic = pl.DataFrame(tables.where_in(base, "id", ids, ["id", "text", tables.VECTOR]))
    both = seen.join(generic, on="id", suffix="_base").sort("id")
    rows = both.select(
        "id",
        pl.col("text").map_elements(lambda text: short(text, EXCERPT), return_dtype=pl.String),
        *("label", "confidence", "novelty"),
        known=pl.col("id").replace_strict(known, default=None, return_dtype=pl.String),
    )
    planes = (project(both[f"{tables.VECTOR}{end}"].to_numpy(), seed) for end in ("_base", ""))
    return Atlas(rows, *planes)


def _sample(texts: pl.Series, known: list[str], seed: int, points: int) -> list[str]:
    """Draw from the labelled texts first, up to half, then from all others."""
    random = np.random.default_rng(seed)
    labelled = texts.filter(texts.is_in(known)).to_list()
    others = texts.filter(~texts.is_in(known)).to_list()
    first = min(len(labelled), max(points // 2, points - len(others)))
    drawn = [*_draw(random, labelled, first), *_draw(random, others, points - first)]
    return sorted(drawn)


def _draw(random: np.random.Generator, ids: list[str], most: int) -> list[str]:
    return [ids[n] for n in random.permutation(len(ids))[:most]]


def project(vectors: NDArray[Any], seed: int) -> Plane:
    """Lay vectors (n, d) out on a plane by t-SNE of their cosines: (n, 2) in [-1, 1].

    On unit rows the Euclidean distance orders as the cosine does. One thread, because sums in
    another order end in another map. Fewer than four vectors, or equal ones, have no shape: they
    are laid out at random.
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    x = unit_rows(vectors)
    n = len(x)
    if n < 4 or np.ptp(x, axis=0).max() < 1e-6:
        return np.random.default_rng(seed).uniform(-1, 1, (n, 2))
    perplexity = min(PERPLEXITY, (n - 1) / 3)
    with threadpool_limits(1):
        model = TSNE(2, perplexity=perplexity, init="pca", max_iter=STEPS, random_state=seed)
        plane = np.asarray(model.fit_transform(x), np.float64)
    middle = (plane.max(0) + plane.min(0)) / 2
    around: Plane = (plane - middle) / np.abs(plane - middle).max(0)
    return around
