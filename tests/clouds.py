"""Labelled points around a few centres."""

from __future__ import annotations

import numpy as np

from tasks.core.numerics.rows import unit_rows

K, D = 3, 6


def clouds(n: int = 90, seed: int = 0, spread: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    """Return n unit rows around K centres in D dimensions, and which centre each is from."""
    random = np.random.default_rng(seed)
    y = random.permutation(np.arange(n) % K)
    x = random.normal(size=(K, D))[y] + spread * random.normal(size=(n, D))
    return unit_rows(x), y
