"""The closed-form transform: probabilistic linear discriminant analysis read out as a posterior.

Ioffe, "Probabilistic Linear Discriminant Analysis", ECCV 2006; Ledoit and Wolf, "A
well-conditioned estimator for large-dimensional covariance matrices", 2004.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.core.gaussians import Model, gather, solve
from tasks.core.tempering import temper
from tasks.core.tensors import as_tensor
from tasks.core.transform import Reading, Sample, features_for

CHUNK = 16_384
SAME = 1e-6  # squared distance to the mean below which float32 leaves no direction


@dataclass(frozen=True)
class Settings:
    """What the user may ask for; None is chosen by the log-loss on texts put away.

    temperature: T, above 1 since a Gaussian in many dimensions is overconfident. novelty: π,
    the prior of a class nobody has labelled. floor: the least weight g of the residual.
    residual: its dimensions, 0 to d. shrinkage: λ.
    """

    temperature: float | None = None
    novelty: float | None = None
    floor: float = 0.1
    residual: int = 64
    shrinkage: float | None = None


@dataclass(frozen=True)
class Chosen:
    """The settings with every value known."""

    temperature: float
    novelty: float
    floor: float
    residual: int
    shrinkage: float


class Discriminant:
    """A fitted `discriminant`; see `apply` for the formula."""

    method = "discriminant"

    def __init__(
        self,
        model: Model,
        basis: Tensor,
        centre: Tensor,
        labels: tuple[str, ...],
        used: Chosen,
        *,
        rich: bool = False,
    ) -> None:
        """rich: the model reads features; else it reads the base vectors, as the residual does."""
        self.labels = labels
        self._model, self._basis, self._centre, self._used = model, basis, centre, used
        self._rich = rich
        self._plan = _plan(model, basis, centre, used)

    @property
    def dimensions(self) -> int:
        return len(self._centre)

    @property
    def features(self) -> int:
        return self._model.W.shape[0] if self._rich else 0

    @property
    def size(self) -> int:
        return len(self.labels) + self._basis.shape[1]

    def apply(self, x: NDArray[Any], features: NDArray[Any] | None = None) -> Reading:
        """Return z = [√p_1, …, √p_k, g r] with g = max(√p_new, floor).

        r = Pᵀ(x - x̄)/‖x - x̄‖ in the principal components P. So
        z·z' = Σ_c √(p_c p'_c) + g g' r·r': the affinity of two posteriors (Bhattacharyya), plus
        the generic cosine where the labels leave room for it.
        """
        n = len(x)
        rich = features_for(self.features, features) if self._rich else x
        vectors = np.empty((n, self.size), np.float32)
        label = np.empty(n, np.int32)
        confidence, novelty = np.empty(n, np.float32), np.empty(n, np.float32)
        for start in range(0, n, CHUNK):
            part = slice(start, start + CHUNK)
            known = as_tensor(x[part]), as_tensor(rich[part])
            p = self._fill(*known, torch.from_numpy(vectors[part]))
            best = p[:, :-1].max(dim=1)
            label[part], confidence[part] = best.indices.numpy(), best.values.numpy()
            novelty[part] = p[:, -1].numpy()
        return Reading(vectors, label, confidence, novelty)

    def tensors(self) -> dict[str, NDArray[Any]]:
        held = {**self._model.tensors(), "basis": self._basis, "centre": self._centre}
        return {name: tensor.numpy() for name, tensor in held.items()}

    def settings(self) -> dict[str, Any]:
        return asdict(self._used)

    def _fill(self, x: Tensor, rich: Tensor, z: Tensor) -> Tensor:
        """Write the view of a chunk into z, (c, m), and return its posterior, (c, k+1)."""
        plan, k = self._plan, len(self.labels)
        shadow, u = _unit_times(x, plan.generic), _unit_times(rich, plan.W).sub_(plan.mu)
        t, r = shadow[:, :1], shadow[:, 1:].sub_(plan.centre)
        p = torch.softmax((u**2) @ plan.A + u @ plan.B + plan.C, dim=1)
        distance = (1 - 2 * t + plan.norm).clamp_min(0)
        gate = p[:, -1:].sqrt().clamp_min(self._used.floor)
        torch.sqrt(p[:, :k], out=z[:, :k])
        scale = torch.where(distance > SAME, distance.rsqrt(), 0)
        torch.mul(r, gate * scale, out=z[:, k:])
        return p


@dataclass(frozen=True)
class _Plan:
    """The matrices of `apply`, float32.

    generic: (d, 1 + m - k), x · generic = [x·x̄, Pᵀx]; centre = Pᵀx̄, norm = x̄·x̄. W, mu: u =
    Wᵀx - mu, of features or base vectors. Scores over T: u² A + u B + C.
    """

    generic: Tensor
    centre: Tensor
    norm: float
    W: Tensor
    mu: Tensor
    A: Tensor
    B: Tensor
    C: Tensor


def _unit_times(x: Tensor, matrix: Tensor) -> Tensor:
    """Return (x/‖x‖) · matrix; ValueError where a value is not finite."""
    wide = x.float()
    length = torch.linalg.vector_norm(wide, dim=1, keepdim=True)
    if not bool(torch.isfinite(length).all()):
        raise ValueError("base vectors: some rows are not finite")
    return (wide @ matrix).div_(length.clamp_min(1e-12))


def fit(sample: Sample, settings: dict[str, Any], seed: int = 0) -> Discriminant:
    """Fit the transform; no random number is drawn, so the seed does not matter."""
    asked = Settings(**settings)
    x, y = torch.from_numpy(sample.richest).double(), torch.from_numpy(sample.y)
    moments = gather(x, y, len(sample.labels))
    basis, centre = residual_basis(torch.from_numpy(sample.background), asked.residual)
    found = temper(x, y, moments, asked.shrinkage, asked.temperature)
    used = Chosen(
        temperature=found.temperature,
        novelty=found.novelty if asked.novelty is None else asked.novelty,
        floor=asked.floor,
        residual=basis.shape[1],
        shrinkage=found.shrinkage,
    )
    model = solve(moments, used.shrinkage).to(torch.float32)
    rich = sample.features is not None
    return Discriminant(model, basis.float(), centre.float(), sample.labels, used, rich=rich)


def restore(
    tensors: dict[str, NDArray[Any]],
    labels: tuple[str, ...],
    settings: dict[str, Any],
    features: int = 0,
) -> Discriminant:
    """Rebuild the transform that `Discriminant.tensors` and `settings` describe."""
    held = {name: as_tensor(array) for name, array in tensors.items()}
    basis, centre = held.pop("basis"), held.pop("centre")
    model = Model(**held)
    if len(model.n) != len(labels):
        raise ValueError(f"{len(model.n)} classes in the tensors, {len(labels)} labels")
    if features and features != len(model.W):
        raise ValueError(f"{len(model.W)} features in the tensors, {features} in the card")
    return Discriminant(model, basis, centre, labels, Chosen(**settings), rich=features > 0)


def residual_basis(background: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Return P (d, size) and x̄: the directions that hold most of r = (x - x̄)/‖x - x̄‖.

    Principal components about the origin, since r·r' is to be kept, not a variance.
    """
    centre = background.mean(0)
    r = background - centre
    r = r / torch.linalg.vector_norm(r, dim=1, keepdim=True).clamp_min(1e-6)
    vectors = torch.linalg.eigh((r.T @ r).double()).eigenvectors.flip(1)[:, :size]
    top = vectors.abs().argmax(0, keepdim=True)
    return vectors * vectors.gather(0, top).sign(), centre


def _plan(model: Model, basis: Tensor, centre: Tensor, used: Chosen) -> _Plan:
    wide, P, x = model.to(torch.float64), basis.double(), centre.double()
    A, B, C = wide.quadratic()
    C = C + wide.log_prior()
    C[-1] += math.log(used.novelty / (1 - used.novelty))
    generic = torch.cat([x[:, None], P], dim=1)
    return _Plan(
        generic=generic.float(),
        centre=(x @ P).float(),
        norm=float(x @ x),
        W=wide.W.float(),
        mu=(wide.mu @ wide.W).float(),
        A=(A.T / used.temperature).float(),
        B=(B.T / used.temperature).float(),
        C=(C / used.temperature).float(),
    )
