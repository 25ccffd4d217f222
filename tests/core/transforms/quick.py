"""A transform of every method, fitted in milliseconds."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from tasks.core.numerics.rows import unit_rows
from tasks.core.transforms import base

QUICK: dict[str, dict[str, Any]] = {
    "identity": {},
    "fda": {},
    "kernel": {"landmarks": 20},
    "auto": {"discriminant": {"residual": 4}},
    "discriminant": {"residual": 4},
    "gstransform": {"hidden": 8, "dimensions": 4, "epochs": 3, "batch_size": 16},
}
LABELS = ("calm", "angry", "glad")


def world(n: int = 60, d: int = 8, k: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    y = np.arange(n) % k
    x = random.normal(size=(k, d))[y] + 0.7 * random.normal(size=(n, d))
    return unit_rows(x), y


@cache
def fitted(method: str, **changes: Any) -> base.Transform:
    """Return one transform for all tests that ask: what it reads does not change it."""
    x, y = world()
    return base.fit(method, x, y, LABELS, x, QUICK[method] | changes, seed=1)
