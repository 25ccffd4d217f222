"""Kernel ridge regression to one-hot labels on landmarks, with its predictions left out.

Rifkin and Lippert, "Notes on Regularized Least Squares", 2007, for the leave-one-out predictions;
Williams and Seeger, "Using the Nyström Method to Speed Up Kernel Machines", NIPS 2001, for the
landmarks that bound what applying it costs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from tasks.core.numerics.temperature import OutOfFold, fit_temperature
from tasks.core.numerics.tensors import as_array, as_tensor, times
from tasks.core.settings.fit_section import KernelSettings
from tasks.core.transforms.sample import Sample

LIMIT = 20_000  # texts that a fit looks at; of more, every second, third, … of a class
WIDTHS = (0.3, 1.0)  # γ, tried where none is given
RIDGES = (0.03, 0.3, 1.0)  # λ
SCALED = 500  # texts whose distances give the scale of γ
CHOOSING = 400
"""Landmarks by which γ and λ are chosen. Measured over 14 aspects, V / triplets / kNN@10: with 400
63.4 / 88.5 / 80.9 in three quarters of the fit's time, with all 1,000 63.3 / 88.6 / 81.0."""
JITTER = 1e-4  # keeps the landmarks' own kernel positive definite where texts coincide
NEAREST = 1e-4  # least scale of squared distances: float32 knows products to 1e-7
ROUNDED = 1e-6  # of the sum of squares of φ: below, float32 leaves nothing of a ridge


@dataclass(frozen=True)
class Nystrom:
    """The map φ(x) = L⁻¹k(x) to the landmarks' span, with the landmarks' own kernel K = L Lᵀ.

    landmarks: (m, f) unit rows; width: γ; root: L.
    """

    landmarks: Tensor
    width: float
    root: Tensor

    def features(self, x: Tensor) -> Tensor:
        """Return φ, (m, n), of unit rows x (n, f)."""
        apart = near(times(x, self.landmarks.T), self.width)
        phi: Tensor = torch.linalg.solve_triangular(self.root, apart.T, upper=False)
        return phi

    def weights(self, beta: Tensor) -> Tensor:
        """Return the α, (m, k), for which k(x)ᵀα = φ(x)ᵀβ."""
        alpha: Tensor = torch.linalg.solve_triangular(self.root.T, beta, upper=True)
        return alpha.contiguous()


def span(landmarks: Tensor, width: float) -> Nystrom:
    """Factorise the landmarks' own kernel."""
    exact = torch.nn.functional.normalize(landmarks.double(), dim=1)
    own = near(exact @ exact.T, width)
    return Nystrom(landmarks, width, torch.linalg.cholesky(raised(own, JITTER)).float())


class Regression(NamedTuple):
    """α (m, k) on a span, λ, t, its log-loss, and its predictions left out (n, k).

    phi: (m, n), its features of the texts it was solved on; products: Φ Φᵀ.
    """

    span: Nystrom
    weights: Tensor
    ridge: float
    sharpness: float
    loss: float
    left: Tensor
    phi: Tensor
    products: Tensor


@dataclass(frozen=True)
class KernelRidge:
    """The best regression of those tried on some labelled texts, one-hot y (n, k)."""

    rows: Tensor
    y: Tensor
    best: Regression

    @property
    def left(self) -> OutOfFold:
        """What it says of each text that is left out with all its rows."""
        log_p = torch.log_softmax(self.best.sharpness * self.best.left, dim=1)
        return OutOfFold(self.rows, log_p, self.best.loss)

    def left_out_of(self, rows: Tensor, sample: Sample) -> tuple[Tensor, Tensor]:
        """Return those of `rows`, (m,) ascending, that can be left out, and ln p (m, k) of them.

        Of many texts the kernel is fitted on a part: the others are left out already, but for the
        rows of a text that it knows by another row, which are dropped.
        """
        rows, texts = rows.sort().values, as_tensor(sample.texts)
        seen = torch.isin(rows, self.rows)
        kept = seen | ~torch.isin(texts[rows], texts[self.rows])
        rows, seen = rows[kept], seen[kept]
        log_p = self.y.new_empty(len(rows), self.y.shape[1])
        log_p[seen] = self.left.at(rows[seen])
        others = as_tensor(sample.richest)[rows[~seen]]
        log_p[~seen] = self.read(self.best.span.features(others))
        return rows, log_p

    def read(self, phi: Tensor, beta: Tensor | None = None) -> Tensor:
        """Return ln p (n, k) of features (m, n); beta: of a fit on fewer texts, see `without`."""
        if beta is None:
            beta = self.best.span.root.T @ self.best.weights
        return torch.log_softmax(self.best.sharpness * (phi.T @ beta), dim=1)

    def without(self, gone: Tensor) -> Tensor:
        """Return β (m, k) of a fit without some texts, gone: (n,) bool."""
        best, away = self.best, self.best.phi[:, gone]
        products = best.products - times(away, away.T)
        least = ROUNDED * float(best.products.trace())
        root = torch.linalg.cholesky(raised(products, max(best.ridge, least)))
        return torch.cholesky_solve(self._target - away @ self.y[gone], root)

    @cached_property
    def _target(self) -> Tensor:
        return self.best.phi @ self.y


def regress(sample: Sample, asked: KernelSettings) -> KernelRidge:
    """Find α, γ, λ and t by the log-loss of texts left out.

    Landmarks are spread over the texts sorted by class, so that each class has its share; with
    as many as texts the regression is exact.
    """
    rows = _few(as_tensor(sample.y))
    x, truth = as_tensor(sample.richest)[rows], as_tensor(sample.y)[rows]
    chosen = np.linspace(0, len(x) - 1, min(asked.landmarks, len(x))).round().astype(int)
    landmarks = x[as_tensor(np.unique(chosen))].contiguous()
    y = torch.nn.functional.one_hot(truth, len(sample.labels)).float()
    texts = as_tensor(np.unique(sample.texts[as_array(rows)], return_inverse=True)[1])
    return KernelRidge(rows, y, _best(x, y, texts, landmarks, asked))


def _few(y: Tensor) -> Tensor:
    """Return all rows of sorted classes (n,), or of each class every second, third, … one."""
    counts = torch.bincount(y)
    place = torch.arange(len(y)) - (counts.cumsum(0) - counts)[y]
    return torch.nonzero(place % (1 + (len(y) - 1) // LIMIT) == 0)[:, 0]


def _best(
    x: Tensor, y: Tensor, texts: Tensor, landmarks: Tensor, asked: KernelSettings
) -> Regression:
    """Choose γ and λ with some of the landmarks, and regress on all of them."""
    scale = max(float(_squared(x[:: 1 + len(x) // SCALED] @ landmarks.T).median()), NEAREST)
    widths = [width / scale for width in (WIDTHS if asked.width is None else (asked.width,))]
    ridges = list(RIDGES if asked.ridge is None else (asked.ridge,))
    step = 1 if len(widths) == len(ridges) == 1 else 1 + (len(landmarks) - 1) // CHOOSING
    found = regressions(x, y, texts, landmarks[::step], widths, ridges)
    best = min(found, key=lambda each: each.loss)
    if step == 1:
        return best
    return next(regressions(x, y, texts, landmarks, [best.span.width], [best.ridge]))


def regressions(
    x: Tensor,
    y: Tensor,
    texts: Tensor,
    landmarks: Tensor,
    widths: Sequence[float],
    ridges: Sequence[float],
) -> Iterator[Regression]:
    """Regress one-hot labels y (n, k) on the kernel, for each γ and λ; texts: (n,), from 0 on.

    With φ(x) of `Nystrom` and Φ the rows φ(x_i)ᵀ, ridge regression on φ is Nyström's. With
    ΦᵀΦ + λ = C Cᵀ and the columns u_i = C⁻¹φ(x_i) of U it is f = Uᵀ(U Y), h_i = ‖u_i‖², and the
    prediction of a text that is left out with all its m rows is (f - h Σ y)/(1 - m h).
    """
    many = torch.bincount(texts)[texts][:, None]
    own_y = torch.zeros_like(y).index_add_(0, texts, y)[texts]
    truth = y.argmax(1)
    for width in widths:
        space = span(landmarks, width)
        phi = space.features(x)
        products = times(phi, phi.T)
        least = ROUNDED * float(products.trace())
        for ridge in ridges:
            C = torch.linalg.cholesky(raised(products, max(ridge, least)))
            U = torch.linalg.solve_triangular(C, phi, upper=False)
            target, h = U @ y, (U * U).sum(0)[:, None]
            left = (U.T @ target - h * own_y) / (1 - many * h).clamp_min(1e-3)
            weights = space.weights(torch.linalg.solve_triangular(C.T, target, upper=True))
            sharpness, loss = fit_temperature(left, truth, 10.0)
            yield Regression(space, weights, ridge, sharpness, loss, left, phi, products)


def raised(matrix: Tensor, amount: float | Tensor) -> Tensor:
    """Return the matrix (n, n) with `amount`, one or n numbers, added on its diagonal."""
    found = matrix.clone()
    found.diagonal().add_(amount)
    return found


def near(products: Tensor, width: float) -> Tensor:
    """Return exp(-γ‖x_i - z_j‖²) of unit rows in place of their products x_i·z_j, (n, m)."""
    return products.sub_(1).mul_(2 * width).clamp_max_(0).exp_()


def _squared(products: Tensor) -> Tensor:
    """Return ‖x_i - z_j‖² of unit rows from their products x_i·z_j, (n, m)."""
    return (2 - 2 * products).clamp_min(0)
