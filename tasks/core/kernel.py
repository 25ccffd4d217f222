"""A nonlinear posterior in closed form: kernel ridge regression to one-hot labels.

Rifkin and Lippert, "Notes on Regularized Least Squares", 2007, for the leave-one-out predictions;
Williams and Seeger, "Using the Nyström Method to Speed Up Kernel Machines", NIPS 2001, for the
landmarks that bound what applying it costs.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.core import discriminant
from tasks.core.calibration import calibrate
from tasks.core.discriminant import Discriminant
from tasks.core.tensors import as_tensor
from tasks.core.transform import Reading, Sample, features_for, unit_rows

CHUNK = 8_192
LIMIT = 20_000  # texts that a fit looks at; of more, every second, third, …
WIDTHS = (0.3, 1.0)  # γ, tried where none is given
RIDGES = (0.03, 0.3, 1.0)  # λ
JITTER = 1e-4  # keeps the landmarks' own kernel positive definite where texts coincide
_GATE = "gate_"  # before the names of the discriminant's tensors


@dataclass(frozen=True)
class Settings:
    """What the user may ask for; None is chosen by the log-loss of the texts left out.

    landmarks: texts that new ones are compared with. width: γ. ridge: λ.
    """

    landmarks: int = 1_000
    width: float | None = None
    ridge: float | None = None


@dataclass(frozen=True)
class Chosen:
    """γ over the median squared distance, λ, and the sharpness t of p = softmax(t · f)."""

    width: float
    ridge: float
    sharpness: float


class Kernel:
    """A fitted `kernel`: f(x) = k(x)ᵀα of landmarks, gated by a discriminant's novelty."""

    method = "kernel"

    def __init__(
        self, gate: Discriminant, landmarks: Tensor, weights: Tensor, used: Chosen, *, rich: bool
    ) -> None:
        """landmarks: (m, f) unit rows; weights: (m, k); rich: they are of features."""
        self.labels = gate.labels
        self._gate, self._landmarks, self._weights = gate, landmarks, weights
        self._used, self._rich = used, rich

    @property
    def dimensions(self) -> int:
        return self._gate.dimensions

    @property
    def features(self) -> int:
        return self._gate.features

    @property
    def size(self) -> int:
        return self._gate.size

    def apply(self, x: NDArray[Any], features: NDArray[Any] | None = None) -> Reading:
        """Return z = [√(p_c (1 - p_new)), …, g r], p = softmax(t · f(x)).

        p_new, g and r are the discriminant's: a kernel by itself knows no class "new".
        """
        reading = self._gate.apply(x, features)
        rich = features_for(self.features, features) if self._rich else x
        k = len(self.labels)
        for start in range(0, len(x), CHUNK):
            part = slice(start, start + CHUNK)
            known = as_tensor(1 - reading.novelty[part])[:, None]
            scores = _near(as_tensor(unit_rows(rich[part])), self._landmarks, self._used.width)
            p = torch.softmax(self._used.sharpness * (scores @ self._weights), dim=1) * known
            best = p.max(dim=1)
            reading.vectors[part, :k] = p.sqrt().numpy()
            reading.label[part], reading.confidence[part] = (
                best.indices.numpy(),
                best.values.numpy(),
            )
        return reading

    def tensors(self) -> dict[str, NDArray[Any]]:
        gate = {_GATE + name: tensor for name, tensor in self._gate.tensors().items()}
        return {**gate, "landmarks": self._landmarks.numpy(), "weights": self._weights.numpy()}

    def settings(self) -> dict[str, Any]:
        return {**asdict(self._used), "gate": self._gate.settings()}


class Solved(NamedTuple):
    """The best of what was tried, and the log-loss of its left-out predictions, nats a text."""

    landmarks: Tensor
    weights: Tensor
    used: Chosen
    loss: float


def fit(sample: Sample, settings: dict[str, Any], seed: int) -> Kernel:
    """Fit posterior and gate; no random number is drawn, so the seed does not matter."""
    gate = discriminant.fit(sample, {}, seed)
    return join(gate, solve(sample, Settings(**settings)), rich=sample.features is not None)


def join(gate: Discriminant, solved: Solved, *, rich: bool) -> Kernel:
    """Put a solved posterior behind a discriminant's gate."""
    return Kernel(gate, solved.landmarks, solved.weights, solved.used, rich=rich)


def restore(
    tensors: dict[str, NDArray[Any]],
    labels: tuple[str, ...],
    settings: dict[str, Any],
    features: int = 0,
) -> Kernel:
    """Rebuild what `Kernel.tensors` and `settings` describe."""
    gate = {n.removeprefix(_GATE): a for n, a in tensors.items() if n.startswith(_GATE)}
    own = {name: value for name, value in settings.items() if name != "gate"}
    landmarks, weights = as_tensor(tensors["landmarks"]), as_tensor(tensors["weights"])
    if weights.shape != (len(landmarks), len(labels)):
        raise ValueError(f"weights {tuple(weights.shape)}, {len(labels)} labels")
    restored = discriminant.restore(gate, labels, dict(settings["gate"]), features)
    return Kernel(restored, landmarks, weights, Chosen(**own), rich=features > 0)


def solve(sample: Sample, asked: Settings) -> Solved:
    """Find α, and γ, λ and t with the least log-loss of leave-one-out predictions.

    With the landmarks' own kernel K_mm = L Lᵀ, φ(x) = L⁻¹k(x) and Φ the rows φ(x_i)ᵀ, ridge
    regression on φ is Nyström's; with ΦᵀΦ = Q S Qᵀ all λ share one decomposition,
    f = ΦQ (S + λ)⁻¹ QᵀΦᵀY, h_i = Σ_j (ΦQ)_ij²/(S_j + λ), and the prediction of a text that is left
    out is y - (y - f)/(1 - h). Landmarks are spread over the texts sorted by class, so that each
    class has its share; with as many as texts the regression is exact.
    """
    step = 1 + (len(sample.y) - 1) // LIMIT
    x, truth = torch.from_numpy(sample.richest[::step]), torch.from_numpy(sample.y[::step])
    n, k = len(x), len(sample.labels)
    chosen = np.unique(np.linspace(0, n - 1, min(asked.landmarks, n)).round().astype(int))
    landmarks = x[torch.from_numpy(chosen)].contiguous()
    apart, own = _squared(x, landmarks), _squared(landmarks, landmarks)
    scale = max(float(apart.median()), 1e-6)
    y = torch.nn.functional.one_hot(truth, k).float()
    best: Solved | None = None
    for width in WIDTHS if asked.width is None else (asked.width,):
        gamma = width / scale
        eye = JITTER * torch.eye(len(landmarks), dtype=torch.float64)
        L = torch.linalg.cholesky(torch.exp(-gamma * own).double() + eye).float()
        phi = torch.linalg.solve_triangular(L, torch.exp(-gamma * apart).T, upper=False).T
        S, Q = torch.linalg.eigh(phi.T @ phi)
        turned = phi @ Q
        target = turned.T @ y
        for ridge in RIDGES if asked.ridge is None else (asked.ridge,):
            share = 1 / (S.clamp_min(0) + ridge)
            left = y - (y - turned @ (share[:, None] * target)) / _spare(turned, share)
            fitted = calibrate(left, truth, 10.0)
            if best is None or fitted.loss < best.loss:
                back = Q @ (share[:, None] * target)
                weights = torch.linalg.solve_triangular(L.T, back, upper=True)
                used = Chosen(gamma, ridge, fitted.beta)
                best = Solved(landmarks, weights.contiguous(), used, fitted.loss)
    if best is None:
        raise ValueError("no width or ridge to try")
    return best


def _spare(turned: Tensor, share: Tensor) -> Tensor:
    """Return 1 - h_i, (n, 1), above 0."""
    return (1 - (turned**2) @ share).clamp_min(1e-3)[:, None]


def _near(x: Tensor, landmarks: Tensor, gamma: float) -> Tensor:
    return torch.exp(-gamma * _squared(x, landmarks))


def _squared(x: Tensor, z: Tensor) -> Tensor:
    """Return ‖x_i - z_j‖² of unit rows, (n, m)."""
    return (2 - 2 * (x @ z.T)).clamp_min(0)
