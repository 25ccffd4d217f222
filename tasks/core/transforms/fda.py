"""Fisher's linear discriminant, plain: the published method's ablation of its learnt map.

Fisher, "The Use of Multiple Measurements in Taxonomic Problems", 1936; the covariance within
classes is shrunk by Ledoit and Wolf's rule, so that fewer texts than dimensions suffice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from tasks.core.numerics.rows import unit_rows
from tasks.core.numerics.split import stratified_split
from tasks.core.numerics.tensors import as_array, as_tensor
from tasks.core.settings.calibrated import CalibratedCentroids
from tasks.core.transforms.base import NoSettings, Prediction, Sample, Transform
from tasks.core.transforms.centroids import HELD_OUT, Centroids, fit_centroids, restore_centroids
from tasks.core.transforms.plda import ledoit_wolf, solve, sufficient_statistics

CHUNK = 16_384


class Fda(Transform):
    """A fitted projection z = Wᵀ(x - μ) of base vectors, with WᵀΣ_wW = I."""

    method = "fda"
    Calibrated = CalibratedCentroids

    def __init__(
        self,
        W: NDArray[np.float32],
        mu: NDArray[np.float32],
        centroids: Centroids,
        labels: tuple[str, ...],
    ) -> None:
        """W: (d, q), q < k the directions in which class means differ; mu: (d,)."""
        super().__init__(labels, dimensions=int(W.shape[0]), size=int(W.shape[1]))
        self._W, self._mu, self._centroids = W, mu, centroids

    @classmethod
    def fit(cls, sample: Sample, settings: NoSettings, seed: int) -> Self:
        """Solve S_b w = φ Σ_w w, and read labels by the centroids of z."""
        x, y = as_tensor(sample.x).double(), as_tensor(sample.y)
        moments = sufficient_statistics(x, y, len(sample.labels))
        model = solve(moments, ledoit_wolf(x, y, moments))
        W, mu = as_array(_some(model.W).float()), as_array(model.mu.float())
        split = stratified_split(sample.y, HELD_OUT, seed)
        centroids = fit_centroids(_project(sample.x, W, mu), sample.y, len(sample.labels), split)
        return cls(W, mu, centroids, sample.labels)

    def read(
        self,
        x: NDArray[Any],
        features: NDArray[Any] | None = None,
        texts: Sequence[str] | None = None,
    ) -> Prediction:
        """Project on the discriminants, and read label and confidence off the class means."""
        return self._centroids.read(_project(x, self._W, self._mu))

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return the projection, the mean, and the centroids."""
        return {"W": self._W, "mu": self._mu, "centroids": self._centroids.rows}

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
        """Rebuild the projection; ValueError where there is not one centroid a label."""
        centroids = restore_centroids(tensors["centroids"], labels, settings)
        return cls(tensors["W"], tensors["mu"], centroids, labels)


def _some(W: Tensor) -> Tensor:
    """Return W, or one column of zeros where no direction tells the classes apart."""
    return W if W.shape[1] else W.new_zeros(len(W), 1)


def _project(
    x: NDArray[Any], W: NDArray[np.float32], mu: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return Wᵀ(x - μ) of unit rows, (n, q) float32."""
    z = np.empty((len(x), W.shape[1]), np.float32)
    for start in range(0, len(x), CHUNK):
        part = slice(start, start + CHUNK)
        z[part] = (unit_rows(x[part]) - mu) @ W
    return z
