"""k-means, in the one way in which Refract clusters."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROUNDS = 20  # of Lloyd's algorithm that a rough clustering takes; scikit-learn's default is 300
LARGE = 10_000  # rows from which Lloyd's algorithm takes minutes


def kmeans(x: NDArray[Any], k: int, seed: int, *, rough: bool = False) -> NDArray[np.int32]:
    """Return the cluster (n,) of each row of x (n, d), from one start by k-means++; k <= n.

    Equal rows make fewer clusters than k. rough: enough to spread a choice over the space, not to
    be scored or named: few rounds, and of many rows random batches (Sculley, "Web-scale k-means
    clustering", WWW 2010).
    """
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning

    means = MiniBatchKMeans if rough and len(x) > LARGE else KMeans
    settings = {"max_iter": ROUNDS} if rough else {}
    with warnings.catch_warnings():  # says no more than that rows are equal
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = means(k, n_init=1, random_state=seed, **settings).fit_predict(x)
    return np.asarray(found, np.int32)
