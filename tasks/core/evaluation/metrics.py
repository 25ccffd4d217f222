"""How well a view agrees with the labels: four figures times 100, on texts the fit has not seen."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.numerics.kmeans import kmeans
from tasks.core.numerics.rows import nearest, unit_rows

PAIRS = 5_000
ANCHORS = 1_000

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Scores:
    """Figures times 100 over n texts; None where the texts are too few to define one.

    v_measure: of k-means with as many clusters as classes. triplets: a text is nearer to one
    of its label than to one of another. sts: rank correlation of cosine and agreement. knn:
    share of the ten nearest that carry the anchor's label.
    """

    v_measure: float | None
    triplets: float | None
    sts: float | None
    knn: float | None
    n: int


def score(vectors: Floats, y: Ints, seed: int = 0) -> Scores:
    """Score a view; vectors: (n, m), compared by cosine, y: (n,) true classes."""
    x, classes = unit_rows(vectors), np.unique(y, return_inverse=True)[1]
    return Scores(
        v_measure(x, classes, seed),
        triplet_accuracy(x, classes, seed),
        sts(x, classes, seed),
        knn_agreement(x, classes, seed),
        len(classes),
    )


def right(own: Sequence[Collection[str]], likeliest: Sequence[str]) -> NDArray[np.bool_]:
    """Tell of each text whether its likeliest label is one of its own."""
    return np.array([label in labels for label, labels in zip(likeliest, own, strict=True)], bool)


def accuracy(right: NDArray[np.bool_]) -> float | None:
    """Return the share of texts that are right, in percent and rounded."""
    return round(100 * float(right.mean()), 2) if len(right) else None


def v_measure(vectors: Floats, y: Ints, seed: int = 0) -> float | None:
    """Return the mean V-measure of three k-means runs on unit rows, k = number of classes.

    V = 2hc/(h + c), homogeneity h, completeness c (Rosenberg and Hirschberg, 2007).
    """
    from sklearn.metrics import v_measure_score

    runs = clusterings(vectors, len(np.unique(y)), seed)
    return 100 * float(np.mean([v_measure_score(y, run) for run in runs])) if runs else None


def clusterings(vectors: Floats, k: int, seed: int = 0) -> list[Ints]:
    """Return the clusters (n,) of three k-means runs on unit rows; none for k < 2."""
    x = unit_rows(vectors)
    return [kmeans(x, k, seed + i) for i in range(3)] if k > 1 else []


def triplet_accuracy(vectors: Floats, y: Ints, seed: int = 0) -> float | None:
    """Return how often cos(a, p) > cos(a, q) with p of a's label and q of another; ties half."""
    draw = PairSampler(y, seed)
    if not draw.possible:
        return None
    anchor = draw.anchors(PAIRS)
    x = unit_rows(vectors)
    near = cosines(x, anchor, draw.positives(anchor))
    far = cosines(x, anchor, draw.negatives(anchor))
    return 100 * float(((near > far) + 0.5 * (near == far)).mean())


def sts(vectors: Floats, y: Ints, seed: int = 0) -> float | None:
    """Return Spearman's correlation of cosine and agreement over pairs, half of them agreeing."""
    draw = PairSampler(y, seed)
    if not draw.possible:
        return None
    anchor = draw.anchors(PAIRS)
    half = PAIRS // 2
    other = np.concatenate([draw.positives(anchor[:half]), draw.negatives(anchor[half:])])
    return _spearman(cosines(unit_rows(vectors), anchor, other), np.arange(PAIRS) < half)


def graded_sts(left: Floats, right: Floats, grades: Floats) -> float | None:
    """Return Spearman's correlation of the cosines of row pairs with graded agreement."""
    return _spearman(np.einsum("ij,ij->i", unit_rows(left), unit_rows(right)), grades)


def knn_agreement(vectors: Floats, y: Ints, seed: int = 0, neighbours: int = 10) -> float | None:
    """Return the share of an anchor's nearest texts (itself left out) that carry its label."""
    found = neighbour_shares(vectors, y, seed, neighbours)
    return None if found is None else 100 * float(found[1].mean())


def neighbour_shares(
    vectors: Floats, y: Ints, seed: int = 0, neighbours: int = 10
) -> tuple[Ints, Floats] | None:
    """Return the anchors (a,), rows of `vectors`, and for each that share in [0, 1]."""
    n = len(y)
    if n < 2 or not PairSampler(y, seed).possible:
        return None
    x, k = unit_rows(vectors), min(neighbours, n - 1)
    anchors = np.random.default_rng(seed).permutation(n)[:ANCHORS]
    near = np.concatenate(list(nearest(x, anchors, k)))
    return anchors, (y[near] == y[anchors][:, None]).mean(1)


def knn_ceiling(y: Ints, seed: int = 0, neighbours: int = 10) -> float | None:
    """Return what `knn_agreement` can reach at most: a class of few texts has few neighbours."""
    n = len(y)
    if n < 2 or not PairSampler(y, seed).possible:
        return None
    k = min(neighbours, n - 1)
    anchors = np.random.default_rng(seed).permutation(n)[:ANCHORS]
    _, inverse, sizes = np.unique(y, return_inverse=True, return_counts=True)
    others = sizes[inverse][anchors] - 1
    return 100 * float(np.minimum(others, k).mean() / k)


class PairSampler:
    """Draw anchors and their partners; rows are sorted by class, so that a class is a block."""

    def __init__(self, y: Ints, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._rows = np.argsort(y, kind="stable")
        _, inverse, sizes = np.unique(y, return_inverse=True, return_counts=True)
        first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        self._size, self._first = sizes[inverse], first[inverse]
        self._place = np.empty(len(y), np.int64)
        self._place[self._rows] = np.arange(len(y))
        self._able = np.flatnonzero(self._size > 1)
        self.possible = len(sizes) > 1 and len(self._able) > 0

    def anchors(self, count: int) -> NDArray[np.int64]:
        """Draw texts that share their label with another."""
        drawn: NDArray[np.int64] = self._able[self._random.integers(len(self._able), size=count)]
        return drawn

    def positives(self, anchor: NDArray[np.int64]) -> NDArray[np.int64]:
        """Draw for each anchor another text of its label."""
        first, size = self._first[anchor], self._size[anchor]
        drawn = first + self._random.integers(size - 1)
        rows: NDArray[np.int64] = self._rows[drawn + (drawn >= self._place[anchor])]
        return rows

    def negatives(self, anchor: NDArray[np.int64]) -> NDArray[np.int64]:
        """Draw for each anchor a text of another label."""
        first, size = self._first[anchor], self._size[anchor]
        drawn = self._random.integers(len(self._rows) - size)
        rows: NDArray[np.int64] = self._rows[drawn + size * (drawn >= first)]
        return rows


def cosines(
    x: NDArray[np.float32], left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return the products of unit rows `left` with `right`."""
    found: NDArray[np.float32] = np.einsum("ij,ij->i", x[left], x[right])
    return found


def _spearman(a: NDArray[Any], b: NDArray[Any]) -> float | None:
    from scipy.stats import spearmanr

    if len(a) < 2 or np.ptp(a) == 0 or len(np.unique(b)) < 2:
        return None
    return 100 * float(spearmanr(a, b).statistic)
