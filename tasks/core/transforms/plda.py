"""Probabilistic linear discriminant analysis, PLDA: classes as Gaussians that share a covariance.

The mathematics of the method `discriminant`, and so of the default, `auto`.

Ioffe, "Probabilistic Linear Discriminant Analysis", ECCV 2006; Ledoit and Wolf, "A
well-conditioned estimator for large-dimensional covariance matrices", 2004.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import torch
from torch import Tensor

from tasks.core.numerics.tensors import class_sums

LEAST = 1e-3  # of the shrinkage, and of the spread within classes relative to the whole


@dataclass(frozen=True)
class SufficientStatistics:
    """Sums over labelled texts. n: (k,), sums: (k, d), second: (d, d) = Σ x xᵀ; float64."""

    n: Tensor
    sums: Tensor
    second: Tensor

    @cached_property
    def means(self) -> Tensor:
        """Return each class's mean, (k, d)."""
        return self.sums / self.n[:, None]

    @cached_property
    def scatter(self) -> Tensor:
        """Return Σ (x - x̄_y)(x - x̄_y)ᵀ, (d, d)."""
        return self.second - (self.sums.T / self.n) @ self.sums

    def more(self, other: SufficientStatistics) -> SufficientStatistics:
        """Return the sums over the texts of both."""
        return SufficientStatistics(
            self.n + other.n, self.sums + other.sums, self.second + other.second
        )

    def less(self, other: SufficientStatistics) -> SufficientStatistics:
        """Return the sums without the texts of `other`, which were among them."""
        return SufficientStatistics(
            self.n - other.n, self.sums - other.sums, self.second - other.second
        )


@dataclass(frozen=True)
class PldaModel:
    """Gaussians in the q coordinates that tell classes apart.

    W: (d, q) with WᵀΣ_wW = I; mu: (d,) the mean of the class means; ubar: (k, q) the class
    means in u = Wᵀ(x - μ); psi: (q,) > 0 the variance of class means there; n: (k,) texts.
    """

    W: Tensor
    mu: Tensor
    ubar: Tensor
    psi: Tensor
    n: Tensor

    def tensors(self) -> dict[str, Tensor]:
        """Return the fields by name, as they are stored."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def to(self, dtype: torch.dtype) -> PldaModel:
        """Return the model in another precision, laid out in memory as it comes back from disk.

        A matrix product rounds by the layout of its factors, on some processors.
        """
        return PldaModel(
            **{name: tensor.to(dtype).contiguous() for name, tensor in self.tensors().items()}
        )

    def quadratic(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return A, B, C of log density = u² Aᵀ + u Bᵀ + C, k known classes and then "new".

        Known: N(u; nψ/(nψ+1) ū, 1 + ψ/(nψ+1)); new: N(u; 0, 1 + ψ). A, B: (k+1, q), C: (k+1,).
        Constants shared by all classes are left out.
        """
        n = torch.cat([self.n, self.n.new_zeros(1)])[:, None]
        ubar = torch.cat([self.ubar, self.ubar.new_zeros(1, len(self.psi))])
        variance = 1 + self.psi / (n * self.psi + 1)
        mean = n * self.psi / (n * self.psi + 1) * ubar
        return (
            -0.5 / variance,
            mean / variance,
            -0.5 * (mean**2 / variance + variance.log()).sum(1),
        )

    def log_prior(self) -> Tensor:
        """Return ½ ln(n_c/n) for the known classes and 0 for "new", (k+1,)."""
        return torch.cat([0.5 * (self.n / self.n.sum()).log(), self.n.new_zeros(1)])

    def scores(self, x: Tensor) -> Tensor:
        """Return log density plus log prior, (m, k+1), before π and T."""
        A, B, C = self.quadratic()
        u = (x - self.mu) @ self.W
        return (u**2) @ A.T + u @ B.T + (C + self.log_prior())


def sufficient_statistics(x: Tensor, y: Tensor, k: int) -> SufficientStatistics:
    """Sum the texts of each class; x: (n, d), y: (n,) in 0..k-1."""
    n = torch.bincount(y, minlength=k).double()
    return SufficientStatistics(n, class_sums(x, y, k), x.T @ x)


def ledoit_wolf(x: Tensor, y: Tensor, moments: SufficientStatistics) -> float:
    """Return the shrinkage λ of the within-class residuals r_i = x_i - x̄_{y_i}, in [0, 1].

    λ = min(b, e) / e with S = Σ r rᵀ/n, e = ‖S - (tr S/d) I‖²/d and
    b = (Σ‖r‖⁴/n - ‖S‖²)/(n d).
    """
    n, d = x.shape
    S = moments.scatter / n
    fourth = ((x - moments.means[y]) ** 2).sum(1).square().sum() / n
    e = (S - S.trace() / d * torch.eye(d, dtype=S.dtype)).square().sum() / d
    b = (fourth - S.square().sum()) / (n * d)
    return float(torch.clamp(b / e, 0, 1)) if e > 1e-18 else 1.0


def solve(moments: SufficientStatistics, shrinkage: float) -> PldaModel:
    """Diagonalise the within-class and the between-class covariance at once.

    Σ_w = (1-λ) S_w + λ (tr S_w/d) I = L Lᵀ; the columns of M = L⁻¹(x̄_c - μ)/√(k-1) have
    M Mᵀ = Q φ Qᵀ, so W = L⁻ᵀQ. ψ = φ - 1/ñ, ñ the harmonic mean of n_c: the class means are
    noisy themselves. Coordinates with ψ ≤ 0 say the same of every class and are left out.
    """
    n, means = moments.n, moments.means
    k, mu = len(n), means.mean(0)
    L = torch.linalg.cholesky(_within(moments, shrinkage))
    M = torch.linalg.solve_triangular(L, (means - mu).T, upper=False) / max(k - 1, 1) ** 0.5
    Q, phi, _ = torch.linalg.svd(M, full_matrices=False)
    psi = phi**2 - (1 / n).mean()
    keep = psi > 1e-9
    W = torch.linalg.solve_triangular(L.T, Q[:, keep], upper=True)
    return PldaModel(W, mu, (means - mu) @ W, psi[keep], n)


def _within(moments: SufficientStatistics, shrinkage: float) -> Tensor:
    """Return Σ_w, (d, d), positive definite also where nothing varies within classes."""
    scatter, n = moments.scatter, moments.n
    k, d = moments.sums.shape
    spare = float(n.sum()) - k
    mean = moments.sums.sum(0) / n.sum()
    total = float(moments.second.trace() / n.sum() - mean @ mean) / d
    # With one text a class nothing is known of the spread within: take half of the whole.
    level = float(scatter.trace()) / spare / d if spare > 0 else total / 2
    level = max(level, LEAST * total, 1e-9)
    share = max(shrinkage, LEAST) if spare > 0 else 1.0
    S = (1 - share) / max(spare, 1) * scatter
    S.diagonal().add_(share * level)
    return S
