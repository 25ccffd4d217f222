"""Places on a plane, n rows of across and up, and how one map is laid upon another."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

NARROW = 0.7  # of the extent: a map that reaches no farther is drawn larger again


def shrunk(places: NDArray[Any]) -> tuple[Plane, float]:
    """Return places (n, 2) about their middle, the farthest coordinate being 1, and the scale.

    Both axes shrink alike, so that a distance is the same in any direction.
    """
    middle = (places.max(0) + places.min(0)) / 2
    scale = float(np.abs(places - middle).max()) or 1.0
    return ((places - middle) / scale).astype(np.float32), scale


def turn(places: NDArray[Any], towards: NDArray[Any]) -> NDArray[np.float64]:
    """Return the rotation or reflection R (2, 2) that brings centred rows nearest to `towards`.

    Orthogonal Procrustes: R = U Vᵀ of PᵀT = U S Vᵀ minimises Σ |p_i R - t_i|² (Schönemann, 1966).
    """
    p = places.astype(np.float64) - places.mean(0)
    t = towards.astype(np.float64) - towards.mean(0)
    u, _, v = np.linalg.svd(p.T @ t)
    found: NDArray[np.float64] = u @ v
    return found


def laid_upon(
    places: NDArray[Any], rows: NDArray[Any], towards: NDArray[Any]
) -> tuple[Plane, float]:
    """Turn and move all places so that those at `rows` come nearest to the places `towards`.

    Also return the scale: 1, unless the map would leave [-1, 1] or has become narrow.
    """
    around = (places - places[rows].mean(0)) @ turn(places[rows], towards) + towards.mean(0)
    reach = float(np.abs(around).max())
    scale = reach if reach > 1 or 0 < reach < NARROW else 1.0
    return np.asarray(around / scale, np.float32), scale
