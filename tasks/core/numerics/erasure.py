"""Least-squares concept erasure (LEACE): vectors that tell a linear reader nothing of a concept.

Belrose and others, "LEACE: Perfect linear concept erasure in closed form", arXiv 2306.03819,
theorem 4.3: of all affine maps after which vectors and concept are uncorrelated, the one that moves
vectors least.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NULL = 1e-10  # of the largest: eigenvalues of a covariance below are those of float32's rounding
SLIGHT = 1e-6  # of the largest: below it a direction says nothing of the concept
_NAMES = ("centre", "write", "read")


@dataclass(frozen=True)
class Erasure:
    """The map v ↦ v - P(v - μ) of the last m numbers of a vector, P = write · read of rank k.

    aspects: what they are called. start: how many numbers before stay as they are. centre: μ, (m,).
    write: (m, k). read: (k, m).
    """

    aspects: tuple[str, ...]
    start: int
    centre: Floats
    write: Floats
    read: Floats

    def __post_init__(self) -> None:
        """Raise ValueError where the shapes do not fit each other."""
        m, k = self.write.shape if self.write.ndim == 2 else (-1, -1)
        if self.start < 0 or self.centre.shape != (m,) or self.read.shape != (k, m):
            found = f"{self.centre.shape}, {self.write.shape} and {self.read.shape}"
            raise ValueError(f"erasure: found {found} from {self.start} on; expected (m), (m, k)")

    @property
    def dimensions(self) -> int:
        """The dimensions that are erased: k."""
        return len(self.read)

    @property
    def of(self) -> int:
        """The dimensions that they are erased from: m."""
        return len(self.centre)

    def apply(self, vectors: NDArray[Any]) -> NDArray[np.float32]:
        """Return vectors (n, start + m) without the concept, float32."""
        if vectors.shape[1] != self.start + self.of:
            raise ValueError(
                f"vectors {vectors.shape}: expected {self.start + self.of} numbers each"
            )
        found = vectors.astype(np.float32)
        apart = vectors[:, self.start :].astype(np.float64) - self.centre
        found[:, self.start :] -= (apart @ self.read.T) @ self.write.T
        return found

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Return the arrays that `restore` needs, by name."""
        return {name: np.asarray(getattr(self, name), np.float32) for name in _NAMES}

    @classmethod
    def restore(
        cls, aspects: tuple[str, ...], start: int, tensors: Mapping[str, NDArray[Any]]
    ) -> Self:
        """Rebuild what `tensors` gave; ValueError or KeyError where they do not fit."""
        centre, write, read = (tensors[name].astype(np.float64) for name in _NAMES)
        return cls(aspects, start, centre, write, read)


def fit_erasure(
    aspects: tuple[str, ...], vectors: NDArray[Any], start: int, concept: NDArray[Any]
) -> Erasure:
    """Erase `concept`, (n, c), from the numbers of `vectors`, (n, start + m), from `start` on.

    With a the numbers before and v those after: Cov(v', z) = 0, and Cov(v', z - ẑ) = 0, where ẑ is
    the best linear prediction of z from a. So no linear predictor of z from v' beats a constant,
    and none from a and v' beats the best one from a. With W = (Cov(v)^½)⁺ and U the left singular
    vectors of W Cov(v, [z, z - ẑ]): P = W⁺ U Uᵀ W.
    """
    known, v = np.split(np.asarray(vectors, np.float64), [start], axis=1)
    z = np.asarray(concept, np.float64)
    ones = np.ones((len(known), 1))
    by = np.concatenate([ones, known], axis=1)
    beyond = z - by @ np.linalg.lstsq(by, z, rcond=None)[0]
    target = np.concatenate([z - z.mean(axis=0), beyond], axis=1)
    centre = v.mean(axis=0)
    apart = v - centre
    values, axes = np.linalg.eigh(apart.T @ apart / len(v))
    kept = values > max(NULL * values.max(initial=0.0), np.finfo(np.float64).tiny)
    roots, axes = np.sqrt(values[kept]), axes[:, kept]
    seen = (axes / roots).T @ (apart.T @ target) / len(v)
    left, sizes, _ = np.linalg.svd(seen, full_matrices=False)
    left = left[:, sizes > SLIGHT * max(sizes.max(initial=0.0), SLIGHT)]
    return Erasure(aspects, start, centre, (axes * roots) @ left, left.T @ (axes / roots).T)
