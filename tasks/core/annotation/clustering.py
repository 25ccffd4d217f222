"""Groups of summaries, and what is shown of each to have it named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.core.numerics.kmeans import kmeans

FEWEST = 3  # notes of a cluster that is named: no text alone shall decide on a label
EQUAL = 1e-6  # cosines this near are equal: the same words beside other words, in float32


@dataclass(frozen=True)
class Group:
    """One cluster: its rows, and rows inside and outside it that stand for each."""

    rows: tuple[int, ...]
    inside: tuple[int, ...]
    outside: tuple[int, ...]


def number_of(n: int, wanted: int) -> int:
    """Return how many clusters n notes make: of fewer than 100, at most half as many (section 3.2
    of arXiv 2505.24754)."""
    return max(1, min(wanted, n // 2 if n < 100 else n))


def group(x: np.ndarray, wanted: int, shown: int, seed: int) -> list[Group]:
    """Cluster notes by their unit vectors x (n, d) with k-means++, and choose what is shown.

    A cluster is shown by the half of its notes that is nearest to its centre, at most `shown`
    of them, so that no outlier, whatever it says, gets to name it; beside them stand as many
    from the same half of other clusters. Clusters of fewer than three notes are left out.
    """
    assigned = kmeans(x, number_of(len(x), wanted), seed)
    members = [np.flatnonzero(assigned == c) for c in np.unique(assigned)]
    named = [rows for rows in members if len(rows) >= FEWEST]
    typical = [_typical(x, rows) for rows in named]
    random = np.random.default_rng(seed)
    groups = []
    for c, rows in enumerate(named):
        others = np.concatenate([np.empty(0, np.int64), *(typical[:c] + typical[c + 1 :])])
        outside = random.permutation(others)[:shown]
        groups.append(Group(_tuple(rows), _tuple(typical[c][:shown]), _tuple(outside)))
    return groups


def _typical(x: np.ndarray, rows: np.ndarray) -> np.ndarray:
    nearest: np.ndarray = rows[np.argsort(-(x[rows] @ x[rows].mean(0)), kind="stable")]
    return nearest[: max(2, len(rows) // 2)]


def _tuple(rows: np.ndarray) -> tuple[int, ...]:
    return tuple(int(row) for row in rows)


def supported(x: np.ndarray, y: np.ndarray, groups: Sequence[Group]) -> list[bool]:
    """Tell of each cluster whether a note that is shown of it supports the cluster's name.

    x: (n, d) notes, y: (c, d) the clusters' names, unit rows. A note supports a name if none of
    the others is nearer to it, nor the notes shown of other clusters, in the mean, nearer to the
    name than it is.
    """
    s = x @ y.T
    told = []
    for c, each in enumerate(groups):
        inside, outside = list(each.inside), list(each.outside)
        least = s[outside, c].mean() if outside else -1.0
        own = s[inside, c] + EQUAL
        told.append(bool(np.any((own >= s[inside].max(1)) & (own >= least))))
    return told
