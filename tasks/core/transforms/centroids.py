"""Labels read from the nearest class centroid; also the untransformed space, `identity`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tasks.core.numerics.rows import unit_rows
from tasks.core.numerics.split import stratified_split
from tasks.core.numerics.temperature import fit_temperature
from tasks.core.numerics.tensors import as_tensor
from tasks.core.settings.calibrated import CalibratedCentroids
from tasks.core.transforms.base import NoSettings, Prediction, Sample, Transform

HELD_OUT = 0.2  # of the labels, for the temperature; arXiv 2505.24754, section 5
SHARPNESS = 10.0  # 1/T where no text can be held out


@dataclass(frozen=True)
class Centroids:
    """Unit class centroids in a view, (k, m) float32, and the inverse temperature of cosines."""

    rows: NDArray[np.float32]
    sharpness: float

    def read(self, vectors: NDArray[np.float32]) -> Prediction:
        """Read label, confidence and novelty of view vectors, (n, m) float32.

        p = softmax(cos(z, centroid_c) / T), novelty = (1 - max cos) / 2.
        """
        cosines = unit_rows(vectors) @ self.rows.T
        label = cosines.argmax(axis=1)
        best = cosines[np.arange(len(label)), label]
        odds = np.exp(np.float32(self.sharpness) * (cosines - best[:, None]))
        novelty = np.clip((1 - best) / 2, 0, 1)
        return Prediction(vectors, label.astype(np.int32), 1 / odds.sum(axis=1), novelty)


def place_centroids(vectors: NDArray[np.float32], y: NDArray[np.int64], k: int) -> Centroids:
    """Find the unit mean of each class's unit vectors; (n, m), y in 0..k-1."""
    sums = np.zeros((k, vectors.shape[1]), np.float64)
    np.add.at(sums, y, unit_rows(vectors))
    return Centroids(unit_rows(sums), SHARPNESS)


def fit_centroids(
    vectors: NDArray[np.float32],
    y: NDArray[np.int64],
    k: int,
    split: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> Centroids:
    """Place centroids from all texts, with T from the held-out ones against the others'."""
    train, held = split
    rows = place_centroids(vectors, y, k).rows
    if not len(held):
        return Centroids(rows, SHARPNESS)
    trial = place_centroids(vectors[train], y[train], k).rows
    cosines = as_tensor(unit_rows(vectors[held]) @ trial.T)
    return Centroids(rows, fit_temperature(cosines, as_tensor(y[held]), SHARPNESS).beta)


class Identity(Transform):
    """The base vectors as unit rows, with labels by nearest centroid."""

    method = "identity"
    Calibrated = CalibratedCentroids

    def __init__(self, centroids: Centroids, labels: tuple[str, ...]) -> None:
        width = int(centroids.rows.shape[1])
        super().__init__(labels, dimensions=width, size=width)
        self._centroids = centroids

    @classmethod
    def fit(cls, sample: Sample, settings: NoSettings, seed: int) -> Self:
        """Place the centroids, and find their temperature."""
        split = stratified_split(sample.y, HELD_OUT, seed)
        return cls(fit_centroids(sample.x, sample.y, len(sample.labels), split), sample.labels)

    def read(
        self,
        x: NDArray[Any],
        features: NDArray[Any] | None = None,
        texts: Sequence[str] | None = None,
    ) -> Prediction:
        """Keep the vectors, and read label and confidence off the class means."""
        return self._centroids.read(unit_rows(x))

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return the centroids, (k, m)."""
        return {"centroids": self._centroids.rows}

    def settings(self) -> CalibratedCentroids:
        """Return the sharpness of the centroids."""
        return CalibratedCentroids(sharpness=self._centroids.sharpness)

    @classmethod
    def restore(
        cls,
        tensors: dict[str, NDArray[Any]],
        labels: tuple[str, ...],
        settings: CalibratedCentroids,
        features: int = 0,
    ) -> Self:
        """Rebuild the space from its centroids; ValueError where there is not one a label."""
        return cls(restore_centroids(tensors["centroids"], labels, settings), labels)


def restore_centroids(
    rows: NDArray[Any], labels: tuple[str, ...], settings: CalibratedCentroids
) -> Centroids:
    """Rebuild centroids; raise ValueError where there is not one a label."""
    if len(rows) != len(labels):
        raise ValueError(f"{len(rows)} centroids, {len(labels)} labels")
    return Centroids(rows, settings.sharpness)
