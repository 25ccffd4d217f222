"""The figures of one trial: each measure at three starts, and how far to trust probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.evaluation.metrics import clusterings, knn_agreement, sts, triplet_accuracy
from tasks.core.numerics.rows import unit_rows
from tasks.core.transforms.base import Prediction

STARTS = (0, 1, 2)  # of k-means, and of the draws of pairs and anchors
BINS = 10  # of confidence; Guo et al., "On Calibration of Modern Neural Networks", 2017, take 15
FOUND = 0.95  # share of the texts of new classes that are to be found, for the false alarms


@dataclass(frozen=True)
class Figures:
    """Times 100. starts: V-measure, triplets, STS and kNN@10 at each start.

    accuracy: of the likeliest label, over texts whose class was labelled. error: expected
    calibration error of `confidence`; brier: mean (confidence - right)². auc: of `novelty`, texts
    of new classes against all others; alarms: the share of the others that is above the novelty
    that 95 % of those exceed. None where it is not defined.
    """

    starts: dict[str, list[float]]
    accuracy: float | None
    error: float
    brier: float
    auc: float | None
    alarms: float | None

    @property
    def v_measure(self) -> float:
        return float(np.mean(self.starts["v_measure"]))

    @property
    def triplets(self) -> float:
        return float(np.mean(self.starts["triplets"]))

    @property
    def knn(self) -> float:
        return float(np.mean(self.starts["knn"]))


def judged(reading: Prediction, known: NDArray[Any], truth: NDArray[Any]) -> Figures:
    """Judge what a transform says of texts; known: (k,) the classes it has labels for."""
    from sklearn.metrics import v_measure_score

    x, y = unit_rows(reading.vectors), np.unique(truth, return_inverse=True)[1]
    right = known[reading.label] == truth
    old = np.isin(truth, known)
    starts = {
        "v_measure": [
            100 * float(v_measure_score(y, run)) for run in clusterings(x, int(y.max()) + 1)
        ],
        "triplets": [triplet_accuracy(x, y, start) or 0.0 for start in STARTS],
        "sts": [sts(x, y, start) or 0.0 for start in STARTS],
        "knn": [knn_agreement(x, y, start) or 0.0 for start in STARTS],
    }
    auc, alarms = _detection(reading.novelty, ~old)
    return Figures(
        starts,
        100 * float(right[old].mean()) if old.any() else None,
        100 * _error(reading.confidence, right),
        100 * float(((reading.confidence - right) ** 2).mean()),
        auc,
        alarms,
    )


def _error(confidence: NDArray[Any], right: NDArray[Any]) -> float:
    """Return Σ_b (n_b/n) |mean confidence - share that is right| over bins of equal width."""
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gap = np.bincount(bins, confidence - right, BINS)
    return float(np.abs(gap).sum() / len(right))


def _detection(novelty: NDArray[Any], new: NDArray[Any]) -> tuple[float | None, float | None]:
    from sklearn.metrics import roc_auc_score

    if new.all() or not new.any():
        return None, None
    level = np.quantile(novelty[new], 1 - FOUND)
    return 100 * float(roc_auc_score(new, novelty)), 100 * float((novelty[~new] >= level).mean())
