"""A nonlinear posterior in closed form: kernel ridge regression to one-hot labels.

Rifkin and Lippert, "Notes on Regularized Least Squares", 2007, for the leave-one-out predictions;
Williams and Seeger, "Using the Nyström Method to Speed Up Kernel Machines", NIPS 2001, for the
landmarks that bound what applying it costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from tasks.core.numerics.temperature import OutOfFold, fit_temperature
from tasks.core.numerics.tensors import as_array, as_tensor, unit_times
from tasks.core.settings.calibrated import CalibratedKernel
from tasks.core.settings.fit_section import DiscriminantSettings, KernelSettings
from tasks.core.transforms.base import Prediction, Sample, Transform, features_for
from tasks.core.transforms.discriminant import Discriminant, fit_cross_validated
from tasks.core.transforms.experts.kernel_ridge import near, regress
from tasks.core.transforms.experts.weights import LEAST
from tasks.core.transforms.posterior_space import PosteriorParts, embed_posterior

POOLS = (0.0, 0.25, 0.5, 0.75)  # w; 1 would be the discriminant alone
POOL = 0.5  # where no text can be left out
_BEHIND = "gate"  # what tensors and settings call the discriminant behind a kernel


class KernelAndDiscriminant(KernelSettings):
    """Settings of the kernel, and of the discriminant behind it.

    landmarks: texts that new ones are compared with. width: γ. ridge: λ. pool: w, the share of
    the discriminant in the posterior. None is chosen by the log-loss of the texts left out.
    """

    discriminant: DiscriminantSettings = Field(DiscriminantSettings(), alias="gate")


@dataclass(frozen=True)
class Chosen:
    """What was chosen for the kernel; see `CalibratedKernel`."""

    width: float
    ridge: float
    sharpness: float
    pool: float


class Kernel(Transform):
    """A fitted `kernel`: f(x) = k(x)ᵀα of landmarks, and a discriminant behind it."""

    method = "kernel"
    begins_with_posterior = True
    Settings = KernelAndDiscriminant
    Calibrated = CalibratedKernel

    def __init__(
        self,
        discriminant: Discriminant,
        landmarks: Tensor,
        weights: Tensor,
        used: Chosen,
        *,
        rich: bool,
    ) -> None:
        """landmarks: (m, f) unit rows; weights: (m, k); rich: they are of features."""
        super().__init__(
            discriminant.labels,
            dimensions=discriminant.dimensions,
            size=discriminant.size,
            features=discriminant.features,
        )
        self._discriminant, self._landmarks, self._weights = discriminant, landmarks, weights
        self._used, self._rich = used, rich

    @classmethod
    def fit(cls, sample: Sample, settings: KernelAndDiscriminant, seed: int) -> Kernel:
        """Fit kernel and discriminant; no random number is drawn, so the seed does not matter."""
        behind, found = fit_cross_validated(sample, settings.discriminant)
        return join(behind, solve(sample, settings, found.left), rich=sample.features is not None)

    def read(
        self,
        x: NDArray[Any],
        features: NDArray[Any] | None = None,
        texts: Sequence[str] | None = None,
    ) -> Prediction:
        """Lay out p ∝ softmax(t · f(x))^(1-w) · p_d^w; see `embed_posterior` for the formula.

        A logarithmic opinion pool (Genest and Zidek, 1986) of the kernel and the discriminant's
        p_d. Novelty and residual are the discriminant's: a kernel by itself knows no class "new".
        """
        rich = features_for(self.features, features) if self._rich else x
        return embed_posterior(
            len(x),
            self.size,
            lambda part: self._parts(x[part], rich[part]),
            self._discriminant.floor,
        )

    def _parts(self, base: NDArray[Any], wide: NDArray[Any]) -> PosteriorParts:
        x, rich = (as_tensor(rows, self._landmarks) for rows in (base, wide))
        found, used = self._discriminant.parts(x, rich), self._used
        likeness = near(unit_times(rich, self._landmarks.T), used.width)
        log_p = pooled(used.sharpness * (likeness @ self._weights), found.p.log(), used.pool)
        return found._replace(p=log_p.exp())

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return landmarks and weights, and the discriminant's tensors by names of their own."""
        behind = self._discriminant.tensors().items()
        named = {f"{_BEHIND}_{name}": tensor for name, tensor in behind}
        return {**named, "landmarks": as_array(self._landmarks), "weights": as_array(self._weights)}

    def settings(self) -> CalibratedKernel:
        """Return what was chosen, and the discriminant's settings as the last of it."""
        behind = self._discriminant.settings()
        return CalibratedKernel(**asdict(self._used), gate=behind)

    @classmethod
    def restore(
        cls,
        tensors: dict[str, NDArray[Any]],
        labels: tuple[str, ...],
        settings: CalibratedKernel,
        features: int = 0,
    ) -> Self:
        """Rebuild kernel and discriminant; ValueError where their classes do not fit."""
        prefix = f"{_BEHIND}_"
        theirs = {n.removeprefix(prefix): a for n, a in tensors.items() if n.startswith(prefix)}
        landmarks, weights = as_tensor(tensors["landmarks"]), as_tensor(tensors["weights"])
        if weights.shape != (len(landmarks), len(labels)):
            raise ValueError(f"weights {tuple(weights.shape)}, {len(labels)} labels")
        restored = Discriminant.restore(theirs, labels, settings.discriminant, features)
        used = Chosen(settings.width, settings.ridge, settings.sharpness, settings.pool)
        return cls(restored, landmarks, weights, used, rich=features > 0)


class Solved(NamedTuple):
    """The best of what was tried, and what it says of texts that were left out."""

    landmarks: Tensor
    weights: Tensor
    used: Chosen
    left: OutOfFold


def join(discriminant: Discriminant, solved: Solved, *, rich: bool) -> Kernel:
    """Return the transform of a solved regression and the discriminant behind it."""
    return Kernel(discriminant, solved.landmarks, solved.weights, solved.used, rich=rich)


def solve(sample: Sample, asked: KernelSettings, other: OutOfFold) -> Solved:
    """Find α, γ, λ and t, and the share of the discriminant, by the log-loss of texts left out.

    other: what the discriminant says of texts put away.
    """
    found = regress(sample, asked)
    share, left = _choose_pool(found.left, other, as_tensor(sample.y), asked.pool)
    best = found.best
    used = Chosen(best.span.width, best.ridge, best.sharpness, share)
    return Solved(best.span.landmarks, best.weights, used, left)


def _choose_pool(
    own: OutOfFold, other: OutOfFold, y: Tensor, asked: float | None
) -> tuple[float, OutOfFold]:
    """Choose w of least log-loss over the texts that both have left out."""
    both = np.intersect1d(as_array(own.rows), as_array(other.rows), return_indices=True)
    rows, mine, theirs = (as_tensor(each) for each in both)
    if not len(rows):
        return POOL if asked is None else asked, own
    a, b, truth = own.log_p[mine], other.log_p[theirs], y[rows]
    tried = []
    for share in POOLS if asked is None else (asked,):
        log_p = pooled(a, b, share)
        left = OutOfFold(rows, log_p, fit_temperature(log_p, truth, 1.0).loss)
        tried.append((left.loss, share, left))
    _, share, left = min(tried, key=lambda each: each[:2])
    return share, left


def pooled(own: Tensor, other: Tensor, share: float) -> Tensor:
    """Return ln p, p ∝ exp(own)^(1-w) · exp(other)^w, (n, k); share: w."""
    return torch.log_softmax((1 - share) * own + share * other.clamp_min(LEAST), dim=1)
