"""The steps of t-SNE, from any places on (van der Maaten and Hinton, 2008)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.atlas.neighbours import Sample
from tasks.core.atlas.plane import Plane
from tasks.core.atlas.repulsion import Repulsion

NEIGHBOURS = 15  # each as close as the others: as good as a perplexity of 30 (Böhm et al., 2022)
MOMENTUM = 0.8


def affinities(sample: Sample) -> Any:
    """Return p, how close rows are: symmetric, sparse, of sum 1, alike for each neighbour."""
    from scipy import sparse

    n, k = len(sample), min(NEIGHBOURS, len(sample) - 1)
    near, _ = sample.among_themselves(k)
    ones = np.ones(n * k, np.float32)
    one_way = sparse.csr_array((ones, near.ravel(), np.arange(0, n * k + 1, k)), shape=(n, n))
    both = (one_way + one_way.T).tocsr()
    both.data /= both.data.sum()
    return both


def descend(
    p: Any, y: Plane, steps: int, exaggeration: float, advance: Callable[[], None]
) -> Plane:
    """Move points y (n, 2) down the gradient of t-SNE, `steps` times.

    4 Σ_j (e p_ij - q_ij) w_ij (y_i - y_j), where w = 1 / (1 + d²), q = w / Σ w and e is the
    exaggeration, at a rate of n / e (Belkina et al., 2019), each coordinate with a gain of its own
    (Jacobs, 1988).
    """
    push = Repulsion()
    rows = np.repeat(np.arange(len(y), dtype=np.int32), np.diff(p.indptr))
    speed, gain, rate = np.zeros_like(y), np.ones_like(y), np.float32(len(y) / exaggeration)
    for _ in range(steps):
        slope = 4 * (np.float32(exaggeration) * _pull(p, rows, y) - push(y))
        onwards = (slope > 0) != (speed > 0)  # down, as before
        gain = np.where(onwards, gain + np.float32(0.2), gain * np.float32(0.8)).clip(0.01)
        speed = np.float32(MOMENTUM) * speed - rate * gain * slope
        y = y + speed
        y -= y.mean(0)
        advance()
    return y


def _pull(p: Any, rows: NDArray[np.int32], y: Plane) -> Plane:
    from scipy import sparse

    apart = y[rows] - y[p.indices]
    weights = p.data / (1 + np.einsum("ij,ij->i", apart, apart))
    each = sparse.csr_array((weights, p.indices, p.indptr), shape=p.shape)
    return np.asarray(y * each.sum(1)[:, None] - each @ y, np.float32)
