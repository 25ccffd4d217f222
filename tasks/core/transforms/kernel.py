"""A nonlinear posterior in closed form: kernel ridge regression to one-hot labels.

Rifkin and Lippert, "Notes on Regularized Least Squares", 2007, for the leave-one-out predictions;
Williams and Seeger, "Using the Nyström Method to Speed Up Kernel Machines", NIPS 2001, for the
landmarks that bound what applying it costs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from tasks.core.numerics.tensors import as_array, as_tensor, unit_times
from tasks.core.settings.fit_section import DiscriminantSettings, KernelSettings
from tasks.core.transforms.base import Prediction, Sample, Transform, features_for
from tasks.core.transforms.discriminant import Discriminant, fit_cross_validated
from tasks.core.transforms.posterior_space import PosteriorParts, embed_posterior
from tasks.core.transforms.temperature import OutOfFold, fit_temperature

LIMIT = 20_000  # texts that a fit looks at; of more, every second, third, … of a class
WIDTHS = (0.3, 1.0)  # γ, tried where none is given
RIDGES = (0.03, 0.3, 1.0)  # λ
POOLS = (0.0, 0.25, 0.5, 0.75)  # w; 1 would be the discriminant alone
POOL = 0.5  # where no text can be left out
SCALED = 500  # texts whose distances give the scale of γ
CHOOSING = 400
"""Landmarks by which γ and λ are chosen. Measured over 14 aspects, V / triplets / kNN@10: with 400
63.4 / 88.5 / 80.9 in three quarters of the fit's time, with all 1,000 63.3 / 88.6 / 81.0."""
LEAST = -30.0  # of ln p: a posterior of 0 would rule a class out for the others, too
JITTER = 1e-4  # keeps the landmarks' own kernel positive definite where texts coincide
NEAREST = 1e-4  # least scale of squared distances: float32 knows products to 1e-7
ROUNDED = 1e-6  # of the sum of squares of φ: below, float32 leaves nothing of a ridge
_BEHIND = "gate"  # what cards and settings call the discriminant behind a kernel


class KernelAndDiscriminant(KernelSettings):
    """Settings of the kernel, and of the discriminant behind it.

    landmarks: texts that new ones are compared with. width: γ. ridge: λ. pool: w, the share of
    the discriminant in the posterior. None is chosen by the log-loss of the texts left out.
    """

    discriminant: DiscriminantSettings = Field(DiscriminantSettings(), alias="gate")


@dataclass(frozen=True)
class Chosen:
    """γ over the median squared distance, λ, the sharpness t, and the discriminant's share w."""

    width: float
    ridge: float
    sharpness: float
    pool: float


class Kernel(Transform):
    """A fitted `kernel`: f(x) = k(x)ᵀα of landmarks, and a discriminant behind it."""

    method = "kernel"
    Settings = KernelAndDiscriminant

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

    def apply(self, x: NDArray[Any], features: NDArray[Any] | None = None) -> Prediction:
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
        near = _near(unit_times(rich, self._landmarks.T), used.width)
        log_p = pooled(used.sharpness * (near @ self._weights), found.p.log(), used.pool)
        return found._replace(p=log_p.exp())

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return landmarks and weights, and the discriminant's tensors by names of their own."""
        behind = self._discriminant.tensors().items()
        named = {f"{_BEHIND}_{name}": tensor for name, tensor in behind}
        return {**named, "landmarks": as_array(self._landmarks), "weights": as_array(self._weights)}

    def settings(self) -> dict[str, Any]:
        """Return what was chosen, and the discriminant's settings as the last of it."""
        return {**asdict(self._used), _BEHIND: self._discriminant.settings()}

    @classmethod
    def restore(
        cls,
        tensors: dict[str, NDArray[Any]],
        labels: tuple[str, ...],
        settings: dict[str, Any],
        features: int = 0,
    ) -> Self:
        prefix = f"{_BEHIND}_"
        theirs = {n.removeprefix(prefix): a for n, a in tensors.items() if n.startswith(prefix)}
        own = {name: value for name, value in settings.items() if name != _BEHIND}
        landmarks, weights = as_tensor(tensors["landmarks"]), as_tensor(tensors["weights"])
        if weights.shape != (len(landmarks), len(labels)):
            raise ValueError(f"weights {tuple(weights.shape)}, {len(labels)} labels")
        restored = Discriminant.restore(theirs, labels, dict(settings[_BEHIND]), features)
        return cls(restored, landmarks, weights, Chosen(**own), rich=features > 0)


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

    Landmarks are spread over the texts sorted by class, so that each class has its share; with
    as many as texts the regression is exact. other: what the discriminant says of texts put away.
    """
    rows = _few(as_tensor(sample.y))
    x, truth = as_tensor(sample.richest)[rows], as_tensor(sample.y)[rows]
    chosen = np.linspace(0, len(x) - 1, min(asked.landmarks, len(x))).round().astype(int)
    landmarks = x[as_tensor(np.unique(chosen))].contiguous()
    y = torch.nn.functional.one_hot(truth, len(sample.labels)).float()
    texts = as_tensor(np.unique(sample.texts[as_array(rows)], return_inverse=True)[1])
    best = _best(x, y, texts, landmarks, asked)
    left = OutOfFold(rows, torch.log_softmax(best.sharpness * best.left, dim=1), best.loss)
    share, left = _choose_pool(left, other, as_tensor(sample.y), asked.pool)
    used = Chosen(best.width, best.ridge, best.sharpness, share)
    return Solved(landmarks, best.weights.contiguous(), used, left)


def _few(y: Tensor) -> Tensor:
    """Return all rows of sorted classes (n,), or of each class every second, third, … one."""
    counts = torch.bincount(y)
    place = torch.arange(len(y)) - (counts.cumsum(0) - counts)[y]
    return torch.nonzero(place % (1 + (len(y) - 1) // LIMIT) == 0)[:, 0]


def _best(
    x: Tensor, y: Tensor, texts: Tensor, landmarks: Tensor, asked: KernelSettings
) -> _Regression:
    """Choose γ and λ with some of the landmarks, and regress on all of them."""
    scale = max(float(_squared(x[:: 1 + len(x) // SCALED] @ landmarks.T).median()), NEAREST)
    widths = [width / scale for width in (WIDTHS if asked.width is None else (asked.width,))]
    ridges = list(RIDGES if asked.ridge is None else (asked.ridge,))
    step = 1 if len(widths) == len(ridges) == 1 else 1 + (len(landmarks) - 1) // CHOOSING
    found = _regressions(x, y, texts, landmarks[::step], widths, ridges)
    best = min(found, key=lambda each: each.loss)
    if step == 1:
        return best
    return next(_regressions(x, y, texts, landmarks, [best.width], [best.ridge]))


class _Regression(NamedTuple):
    """A ridge regression: α (m, k), γ, λ, t, its log-loss, and its predictions left out (n, k)."""

    weights: Tensor
    width: float
    ridge: float
    sharpness: float
    loss: float
    left: Tensor


def _regressions(
    x: Tensor,
    y: Tensor,
    texts: Tensor,
    landmarks: Tensor,
    widths: Sequence[float],
    ridges: Sequence[float],
) -> Iterator[_Regression]:
    """Regress one-hot labels y (n, k) on the kernel, for each γ and λ; texts: (n,), from 0 on.

    With the landmarks' own kernel K_mm = L Lᵀ, φ(x) = L⁻¹k(x) and Φ the rows φ(x_i)ᵀ, ridge
    regression on φ is Nyström's. With ΦᵀΦ + λ = C Cᵀ and the columns u_i = C⁻¹φ(x_i) of U it is
    f = Uᵀ(U Y), h_i = ‖u_i‖², and the prediction of a text that is left out with all its m rows is
    (f - h Σ y)/(1 - m h).
    """
    many = torch.bincount(texts)[texts][:, None]
    own_y = torch.zeros_like(y).index_add_(0, texts, y)[texts]
    truth, exact = y.argmax(1), torch.nn.functional.normalize(landmarks.double(), dim=1)
    for width in widths:
        own, apart = _near(exact @ exact.T, width), _near(x @ landmarks.T, width)
        L = torch.linalg.cholesky(_raised(own, JITTER)).float()
        phi = torch.linalg.solve_triangular(L, apart.T, upper=False)
        products = phi @ phi.T
        least = ROUNDED * float(products.trace())
        for ridge in ridges:
            C = torch.linalg.cholesky(_raised(products, max(ridge, least)))
            U = torch.linalg.solve_triangular(C, phi, upper=False)
            target, h = U @ y, (U * U).sum(0)[:, None]
            left = (U.T @ target - h * own_y) / (1 - many * h).clamp_min(1e-3)
            back = torch.linalg.solve_triangular(C.T, target, upper=True)
            weights = torch.linalg.solve_triangular(L.T, back, upper=True)
            sharpness, loss = fit_temperature(left, truth, 10.0)
            yield _Regression(weights, width, ridge, sharpness, loss, left)


def _raised(matrix: Tensor, amount: float) -> Tensor:
    """Return the matrix with `amount` added on its diagonal."""
    return matrix + amount * torch.eye(len(matrix), dtype=matrix.dtype, device=matrix.device)


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


def _near(products: Tensor, width: float) -> Tensor:
    """Return exp(-γ‖x_i - z_j‖²) of unit rows in place of their products x_i·z_j, (n, m)."""
    return products.sub_(1).mul_(2 * width).clamp_max_(0).exp_()


def _squared(products: Tensor) -> Tensor:
    """Return ‖x_i - z_j‖² of unit rows from their products x_i·z_j, (n, m)."""
    return (2 - 2 * products).clamp_min(0)
