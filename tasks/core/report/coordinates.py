"""Where every text lies on the report's map, for programs that draw all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.numerics.rows import unit_rows
from tasks.core.report.maps import POINTS, Plane, project

NEAR = 5  # texts on the map that say where another one lies
_BLOCK = 4_096  # rows at a time: 40 MB of cosines
_SAME = 1e-6  # distance below which two texts are one: float16 resolves no less


def coordinates(vectors: NDArray[Any], seed: int, points: int = POINTS) -> Plane:
    """Return a place (n, 2) in [-1, 1] for every row of vectors (n, d).

    A seeded sample of at most `points` rows is laid out by t-SNE, as in the report; up to so many
    rows it is that map itself, if they come in the order of their ids. Every other row lies among
    the `NEAR` rows of the sample that are nearest by cosine, each weighted by 1 / distance.
    """
    n = len(vectors)
    drawn = np.sort(np.random.default_rng(seed).permutation(n)[:points])
    plane = np.empty((n, 2))
    plane[drawn] = project(vectors[drawn], seed)
    others = np.setdiff1d(np.arange(n), drawn)
    landmarks = unit_rows(vectors[drawn])
    for start in range(0, len(others), _BLOCK):
        rows = others[start : start + _BLOCK]
        plane[rows] = _between(1 - unit_rows(vectors[rows]) @ landmarks.T, plane[drawn])
    return plane


def _between(distances: NDArray[Any], places: Plane) -> Plane:
    near = np.argpartition(distances, NEAR, axis=1)[:, :NEAR]
    weights = 1 / np.maximum(np.take_along_axis(distances, near, 1), _SAME)
    weights /= weights.sum(1, keepdims=True)
    found: Plane = np.einsum("nk,nkd->nd", weights, places[near])
    return found
