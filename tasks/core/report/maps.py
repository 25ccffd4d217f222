"""The same texts on two maps: as the base vectors have them, and as a view has them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tasks.core.atlas.kept import ViewMap
from tasks.core.store import tables
from tasks.core.text.brief import short
from tasks.core.views.view_rows import Rows

POINTS = 1_200  # texts of a page: their excerpts are most of its bytes
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


def atlas(
    base: Path,
    view: Rows,
    maps: tuple[ViewMap, ViewMap],
    known: dict[str, str],
    seed: int,
    points: int = POINTS,
) -> Atlas:
    """Draw a seeded sample of a view's texts; up to half of them carry a label (id → label).

    maps: where all texts lie among the base vectors, and in the view as readers see it.
    """
    places = [_places(made) for made in maps]
    both = places[0].join(places[1], on="id", suffix="_after")
    ids = _sample(both["id"].sort(), sorted(known), seed, points)
    columns = ["id", "label", "confidence", "novelty"]
    seen = view.with_ids(ids, columns)
    texts = pl.DataFrame(tables.where_in(base, "id", ids, ["id", "text"]))
    drawn = seen.join(texts, on="id").join(both, on="id").sort("id")
    rows = drawn.select(
        "id",
        pl.col("text").map_elements(lambda text: short(text, EXCERPT), return_dtype=pl.String),
        *("label", "confidence", "novelty"),
        known=pl.col("id").replace_strict(known, default=None, return_dtype=pl.String),
    )
    planes = (drawn.select(f"x{end}", f"y{end}").to_numpy() for end in ("", "_after"))
    return Atlas(rows, *planes)


def _places(made: ViewMap) -> pl.DataFrame:
    x, y = made.places.astype(np.float64).T
    return pl.DataFrame({"id": pl.Series(made.rows.ids, dtype=pl.String), "x": x, "y": y})


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
