"""Spaces compared on the same texts: the four scores, each with a bootstrap interval.

Efron and Tibshirani, "An Introduction to the Bootstrap", 1993. What is drawn is a text: n of n,
with repeats, the same for every space, so that gains are paired. Per draw nothing is clustered or
compared anew: a text that was drawn twice counts twice in the clusters, pairs, triplets and
neighbours that were found once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.evaluation import metrics as scoring
from tasks.core.evaluation.measures import BRIEF, MEASURES
from tasks.core.evaluation.metrics import (
    Floats,
    Ints,
    PairSampler,
    clusterings,
    cosines,
    neighbour_shares,
)
from tasks.core.numerics.rows import unit_rows
from tasks.core.numerics.threads import one_thread

BOUNDS = dict.fromkeys(MEASURES, (0.0, 100.0)) | {"sts": (-100.0, 100.0)}
RESAMPLES = 500
LEVEL = 0.95
DRAWN = 40_000  # triplets, and pairs: at 5,000 their own chance would widen the interval by half
_BLOCK = 4_000  # triplets compared at once: 18 MB at 384 dimensions

Resampled = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Interval:
    """A figure times 100, and the interval that holds the true one with probability LEVEL."""

    value: float
    low: float
    high: float

    def rounded(self, decimals: int) -> Interval:
        """Return all three to so many decimals, none of them -0."""
        return Interval(*(round(each, decimals) + 0.0 for each in astuple(self)))


@dataclass(frozen=True)
class ScoreReport:
    """What one space scores; None where the texts are too few to define a figure.

    gains: by the name of another space, this one's figures minus that one's.
    """

    figures: dict[str, Interval | None]
    gains: dict[str, dict[str, Interval | None]]


@dataclass(frozen=True)
class _Spread:
    """A figure, and what it would have been on each resample."""

    value: float
    resampled: Resampled

    def minus(self, other: _Spread) -> _Spread:
        """Return the difference, resample by resample."""
        return _Spread(self.value - other.value, self.resampled - other.resampled)

    def estimate(self) -> Interval:
        """Lay the spread of the resamples around the figure."""
        return spread(self.value, self.resampled)


def bootstrap_scores(
    spaces: Mapping[str, Floats], y: Ints, seed: int = 0
) -> dict[str, ScoreReport]:
    """Score each space, (n, m) compared by cosine, against y, (n,) true classes.

    The figures are those of `score`; the gains are over the spaces named before.
    """
    classes = np.unique(y, return_inverse=True)[1]
    counts = resamples(len(classes), seed)
    with one_thread():  # thousands of small products
        each = tuple(MEASURES)
        spreads = {name: _spreads(x, classes, counts, seed, each) for name, x in spaces.items()}
    names = list(spreads)
    return {
        name: ScoreReport(
            {measure: _estimate(found, BOUNDS[measure]) for measure, found in own.items()},
            {other: _gains(own, spreads[other]) for other in names[: names.index(name)]},
        )
        for name, own in spreads.items()
    }


def intervals(vectors: Floats, y: Ints, seed: int = 0) -> dict[str, Interval]:
    """Return the figures of `BRIEF` that `score` would, those that are defined, with intervals."""
    classes = np.unique(y, return_inverse=True)[1]
    if not len(classes):
        return {}
    counts = resamples(len(classes), seed)
    with one_thread():
        found = _spreads(vectors, classes, counts, seed, tuple(BRIEF))
    estimates = {measure: _estimate(each, BOUNDS[measure]) for measure, each in found.items()}
    return {measure: each for measure, each in estimates.items() if each is not None}


def spread(value: float, resampled: Resampled) -> Interval:
    """Lay the spread of the resamples around the figure.

    Around it, not where they lie: repeated texts make clusters look purer than they are.
    """
    known = resampled[np.isfinite(resampled)]
    if not len(known):
        return Interval(value, value, value)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(known - known.mean(), (tail, 1 - tail))
    return Interval(value, value + float(low), value + float(high))


def _gains(
    own: Mapping[str, _Spread | None], other: Mapping[str, _Spread | None]
) -> dict[str, Interval | None]:
    pairs = {measure: (own[measure], other[measure]) for measure in MEASURES}
    return {
        measure: (a.minus(b).estimate() if a is not None and b is not None else None)
        for measure, (a, b) in pairs.items()
    }


def _estimate(found: _Spread | None, bounds: tuple[float, float]) -> Interval | None:
    if found is None:
        return None
    wide, (least, most) = found.estimate(), bounds
    return Interval(wide.value, max(wide.low, least), min(wide.high, most))


def resamples(n: int, seed: int) -> NDArray[np.uint8]:
    """Return how often each text is drawn, (RESAMPLES, n); each row sums to n."""
    random = np.random.default_rng(seed)
    counts = np.empty((RESAMPLES, n), np.uint8)
    for row in counts:
        row[:] = np.bincount(random.integers(n, size=n), minlength=n)
    return counts


def _spreads(
    vectors: Floats, y: Ints, counts: NDArray[np.uint8], seed: int, measures: Sequence[str]
) -> dict[str, _Spread | None]:
    x = unit_rows(vectors)
    found = {"v_measure": _clusters, "triplets": _triplets, "sts": _pairs, "knn": _neighbours}
    return {measure: found[measure](x, y, counts, seed) for measure in measures}


def _clusters(x: Floats, y: Ints, counts: NDArray[np.uint8], seed: int) -> _Spread | None:
    from sklearn.metrics import v_measure_score

    runs = clusterings(x, int(y.max()) + 1, seed)
    if not runs:
        return None
    value = 100 * float(np.mean([v_measure_score(y, run) for run in runs]))
    drawn = [v_measures(y, run, counts) for run in runs]
    return _Spread(value, 100 * np.mean(drawn, axis=0))


def v_measures(y: Ints, clusters: Ints, counts: NDArray[np.uint8]) -> Resampled:
    """Return V = 2 (H(Y) + H(C) - H(Y, C)) / (H(Y) + H(C)) of texts counted as each row says."""
    both = np.unique(np.stack([y, clusters]), axis=1, return_inverse=True)[1].ravel()
    apart = _entropies(y, counts) + _entropies(clusters, counts)
    whole = np.where(apart > 0, apart, 1)
    found: Resampled = np.where(apart > 0, 2 * (1 - _entropies(both, counts) / whole), 1)
    return found


def _entropies(codes: Ints, counts: NDArray[np.uint8]) -> Resampled:
    """Return H of the codes of texts counted as each row says, by those that occur."""
    from scipy.special import xlogy

    order = np.argsort(codes, kind="stable")
    first = np.flatnonzero(np.diff(codes[order], prepend=codes.min() - 1))
    drawn = np.add.reduceat(counts[:, order], first, axis=1, dtype=np.float64)
    n = np.maximum(drawn.sum(1), 1)
    found: Resampled = np.maximum(np.log(n) - xlogy(drawn, drawn).sum(1) / n, 0)
    return found


def _triplets(x: Floats, y: Ints, counts: NDArray[np.uint8], seed: int) -> _Spread | None:
    value, draw = scoring.triplet_accuracy(x, y, seed), PairSampler(y, seed)
    if value is None:
        return None
    anchor = draw.anchors(DRAWN)
    near, far = draw.positives(anchor), draw.negatives(anchor)
    gap = _by_blocks(x, anchor, near) - _by_blocks(x, anchor, far)
    won = (gap > 0) + 0.5 * (gap == 0)

    def accuracy(row: NDArray[np.float32]) -> float:
        """Return the share of triplets won, of texts counted `row` times."""
        weight = row[anchor] * row[near] * row[far]
        return _ratio(weight @ won, weight.sum())

    return _Spread(value, _each(counts, accuracy))


def _pairs(x: Floats, y: Ints, counts: NDArray[np.uint8], seed: int) -> _Spread | None:
    value, draw = scoring.sts(x, y, seed), PairSampler(y, seed)
    if value is None:
        return None
    half = DRAWN // 2
    left = draw.anchors(DRAWN)
    right = np.concatenate([draw.positives(left[:half]), draw.negatives(left[half:])])
    order = np.argsort(_by_blocks(x, left, right), kind="stable")
    left, right, agree = left[order], right[order], order < half

    def correlation(row: NDArray[np.float32]) -> float:
        """Return the rank correlation of texts counted `row` times."""
        weight = (row[left] * row[right]).astype(np.float64)
        return _rank_correlation(weight, agree)

    return _Spread(value, _each(counts, correlation))


def _rank_correlation(weight: NDArray[np.float64], agree: NDArray[np.bool_]) -> float:
    """Return Spearman's correlation of sorted values and agreement, each counted `weight` times."""
    total = weight.sum()
    rank = np.cumsum(weight) - weight / 2
    share = _ratio(weight @ agree, total)
    mean = _ratio(weight @ rank, total)
    varied = _ratio(weight @ (rank - mean) ** 2, total) * share * (1 - share)
    return _ratio(_ratio(weight @ (rank * (agree - share)), total), varied**0.5)


def _neighbours(x: Floats, y: Ints, counts: NDArray[np.uint8], seed: int) -> _Spread | None:
    found = neighbour_shares(x, y, seed)
    if found is None:
        return None
    anchors, shares = found
    drawn = _each(counts, lambda row: _ratio(row[anchors] @ shares, row[anchors].sum()))
    return _Spread(100 * float(shares.mean()), drawn)


def _each(counts: NDArray[np.uint8], figure: Callable[[NDArray[np.float32]], float]) -> Resampled:
    return np.array([100 * figure(row.astype(np.float32)) for row in counts])


def _ratio(a: Any, b: Any) -> float:
    return float(a / b) if b else float("nan")


def _by_blocks(x: Floats, left: Rows, right: Rows) -> NDArray[np.float32]:
    parts = [slice(start, start + _BLOCK) for start in range(0, len(left), _BLOCK)]
    return np.concatenate([cosines(x, left[part], right[part]) for part in parts])
