"""The closed-form transform: probabilistic linear discriminant analysis read out as a posterior.

Ioffe, "Probabilistic Linear Discriminant Analysis", ECCV 2006; Ledoit and Wolf, "A
well-conditioned estimator for large-dimensional covariance matrices", 2004.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.core.calibration import calibrate
from tasks.core.transform import Reading, Sample

CHUNK = 16_384
FOLDS = 5
TEMPERATURE = 1.5
NOVELTY = 0.003
LEAST = 1e-3  # of the shrinkage, and of the spread within classes relative to the whole
SAME = 1e-6  # squared distance to the mean below which float32 leaves no direction


@dataclass(frozen=True)
class Settings:
    """How the posterior is read out.

    temperature: T, above 1 since a Gaussian in many dimensions is overconfident; None: by
    out-of-fold log-loss. novelty: π, the prior of a class nobody has labelled; None: the same.
    floor: the least weight g of the residual. residual: its dimensions, 0 to d.
    """

    temperature: float | None = None
    novelty: float | None = None
    floor: float = 0.1
    residual: int = 64


@dataclass(frozen=True)
class Moments:
    """Sums over labelled texts. n: (k,), sums: (k, d), second: (d, d) = Σ x xᵀ; float64."""

    n: Tensor
    sums: Tensor
    second: Tensor

    @property
    def means(self) -> Tensor:
        return self.sums / self.n[:, None]

    @property
    def scatter(self) -> Tensor:
        """Return Σ (x − x̄_y)(x − x̄_y)ᵀ, (d, d)."""
        return self.second - (self.sums.T / self.n) @ self.sums


@dataclass(frozen=True)
class Model:
    """Gaussians in the q coordinates that tell classes apart.

    W: (d, q) with WᵀΣ_wW = I; mu: (d,) the mean of the class means; ubar: (k, q) the class
    means in u = Wᵀ(x − μ); psi: (q,) > 0 the variance of class means there; n: (k,) texts.
    """

    W: Tensor
    mu: Tensor
    ubar: Tensor
    psi: Tensor
    n: Tensor

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


class Discriminant:
    """A fitted `discriminant`; see `apply` for the formula."""

    method = "discriminant"

    def __init__(
        self, model: Model, basis: Tensor, centre: Tensor, labels: tuple[str, ...], used: Settings
    ) -> None:
        self.labels = labels
        self._model, self._basis, self._centre, self._used = model, basis, centre, used
        self._plan = _plan(model, basis, centre, used)

    @property
    def dimensions(self) -> int:
        return len(self._centre)

    @property
    def size(self) -> int:
        return len(self.labels) + self._basis.shape[1]

    def apply(self, x: NDArray[Any]) -> Reading:
        """Return z = [√p_1, …, √p_k, g r] with g = max(√p_new, floor).

        r = P ᵀ(x − x̄)/‖x − x̄‖ in the principal components P. So z·z' = Σ_c √(p_c p'_c) + g g' r·r':
        the affinity of two posteriors (Bhattacharyya), plus the generic cosine where the labels
        leave room for it.
        """
        n = len(x)
        vectors = np.empty((n, self.size), np.float32)
        label = np.empty(n, np.int32)
        confidence, novelty = np.empty(n, np.float32), np.empty(n, np.float32)
        for start in range(0, n, CHUNK):
            part = slice(start, start + CHUNK)
            p = self._fill(torch.from_numpy(x[part]), torch.from_numpy(vectors[part]))
            best = p[:, :-1].max(dim=1)
            label[part], confidence[part] = best.indices.numpy(), best.values.numpy()
            novelty[part] = p[:, -1].numpy()
        return Reading(vectors, label, confidence, novelty)

    def tensors(self) -> dict[str, NDArray[Any]]:
        model = {name: getattr(self._model, name).numpy() for name in Model.__annotations__}
        return {**model, "basis": self._basis.numpy(), "centre": self._centre.numpy()}

    def settings(self) -> dict[str, Any]:
        return asdict(self._used)

    def _fill(self, x: Tensor, z: Tensor) -> Tensor:
        """Write the view of a chunk into z, (c, m), and return its posterior, (c, k+1)."""
        plan, k = self._plan, len(self.labels)
        q, wide = plan.A.shape[0], x.float()
        length = torch.linalg.vector_norm(wide, dim=1, keepdim=True)
        if not bool(torch.isfinite(length).all()):
            raise ValueError("base vectors: some rows are not finite")
        shadow = (wide @ plan.map).div_(length.clamp_min(1e-12)).sub_(plan.shift)
        u, t, r = shadow[:, :q], shadow[:, q : q + 1], shadow[:, q + 1 :]
        p = torch.softmax((u**2) @ plan.A + u @ plan.B + plan.C, dim=1)
        distance = (1 - 2 * t + plan.norm).clamp_min(0)
        gate = p[:, -1:].sqrt().clamp_min(self._used.floor)
        torch.sqrt(p[:, :k], out=z[:, :k])
        scale = torch.where(distance > SAME, distance.rsqrt(), 0)
        torch.mul(r, gate * scale, out=z[:, k:])
        return p


@dataclass(frozen=True)
class _Plan:
    """The matrices of `apply`, float32: x · map − shift = [u, x·x̄, Pᵀ(x − x̄)], scores / T."""

    map: Tensor
    shift: Tensor
    A: Tensor
    B: Tensor
    C: Tensor
    norm: float


def fit(sample: Sample, settings: dict[str, Any], seed: int = 0) -> Discriminant:
    """Fit the transform; no iteration over texts, no random number (the seed is not used)."""
    used = Settings(**settings)
    x, y = torch.from_numpy(sample.x).double(), torch.from_numpy(sample.y)
    moments = gather(x, y, len(sample.labels))
    shrinkage = ledoit_wolf(x, y, moments)
    model = solve(moments, shrinkage)
    if used.temperature is None or used.novelty is None:
        used = _calibrated(x, y, moments, shrinkage, used)
    basis, centre = residual_basis(torch.from_numpy(sample.background).double(), used.residual)
    single = Model(**{name: getattr(model, name).float() for name in Model.__annotations__})
    used = replace(used, residual=basis.shape[1])
    return Discriminant(single, basis.float(), centre.float(), sample.labels, used)


def restore(
    tensors: dict[str, NDArray[Any]], labels: tuple[str, ...], settings: dict[str, Any]
) -> Discriminant:
    """Rebuild the transform that `Discriminant.tensors` and `settings` describe."""
    held = {name: torch.from_numpy(array) for name, array in tensors.items()}
    model = Model(**{name: held[name] for name in Model.__annotations__})
    if len(model.n) != len(labels):
        raise ValueError(f"{len(model.n)} classes in the tensors, {len(labels)} labels")
    return Discriminant(model, held["basis"], held["centre"], labels, Settings(**settings))


def gather(x: Tensor, y: Tensor, k: int) -> Moments:
    """Sum the texts of each class; x: (n, d), y: (n,) in 0..k−1."""
    n = torch.bincount(y, minlength=k).double()
    return Moments(n, x.new_zeros(k, x.shape[1]).index_add_(0, y, x), x.T @ x)


def ledoit_wolf(x: Tensor, y: Tensor, moments: Moments) -> float:
    """Return the shrinkage λ of the within-class residuals r_i = x_i − x̄_{y_i}, in [0, 1].

    λ = min(b, e) / e with S = Σ r rᵀ/n, e = ‖S − (tr S/d) I‖²/d and
    b = (Σ‖r‖⁴/n − ‖S‖²)/(n d).
    """
    n, d = x.shape
    S = moments.scatter / n
    fourth = ((x - moments.means[y]) ** 2).sum(1).square().sum() / n
    e = (S - S.trace() / d * torch.eye(d, dtype=S.dtype)).square().sum() / d
    b = (fourth - S.square().sum()) / (n * d)
    return float(torch.clamp(b / e, 0, 1)) if e > 1e-18 else 1.0


def solve(moments: Moments, shrinkage: float) -> Model:
    """Diagonalise the within-class and the between-class covariance at once.

    Σ_w = (1−λ) S_w + λ (tr S_w/d) I = L Lᵀ; the columns of M = L⁻¹(x̄_c − μ)/√(k−1) have
    M Mᵀ = Q φ Qᵀ, so W = L⁻ᵀQ. ψ = φ − 1/ñ, ñ the harmonic mean of n_c: the class means are
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
    return Model(W, mu, (means - mu) @ W, psi[keep], n)


def _within(moments: Moments, shrinkage: float) -> Tensor:
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
    S = scatter / max(spare, 1)
    return (1 - share) * S + share * level * torch.eye(d, dtype=S.dtype)


def _calibrated(
    x: Tensor, y: Tensor, moments: Moments, shrinkage: float, used: Settings
) -> Settings:
    """Fill in T and π from texts that the model behind their scores has not seen."""
    outcome = out_of_fold(x, y, moments, shrinkage)
    if outcome is None:
        return replace(
            used,
            temperature=used.temperature or TEMPERATURE,
            novelty=used.novelty or NOVELTY,
        )
    scores, truth, weights = outcome
    extra = torch.zeros(scores.shape[1], dtype=scores.dtype)
    extra[-1] = 1.0
    beta, bias = calibrate(scores, truth, extra, weights)
    return replace(used, temperature=1 / beta, novelty=1 / (1 + np.exp(-bias / beta)))


def out_of_fold(
    x: Tensor, y: Tensor, moments: Moments, shrinkage: float, share: float = 0.05
) -> tuple[Tensor, Tensor, Tensor] | None:
    """Score every text by a model fitted without its fold, and one text in FOLDS without its class.

    Returns scores (m, k+1), truth (m,) with k for "new", weights (m,) of which `share` falls to
    the new; None where no class has two texts.
    """
    k, fold = len(moments.n), _folds(moments.n)
    group = torch.arange(k) % FOLDS
    scores, truth = [], []
    for f in range(FOLDS):
        away = (fold == f) | (group[y] == f)
        rest = gather(x[away], y[away], k)
        n = moments.n - rest.n
        known = n > 0.5
        if not bool(away.any()) or int(known.sum()) < 2:
            continue
        left = Moments(
            n[known], moments.sums[known] - rest.sums[known], moments.second - rest.second
        )
        out = x.new_full((int(away.sum()), k + 1), -1e4)
        out[:, torch.cat([known, known.new_ones(1)])] = solve(left, shrinkage).scores(x[away])
        scores.append(out)
        truth.append(torch.where(known[y[away]], y[away], k))
    if not scores:
        return None
    S, t = torch.cat(scores), torch.cat(truth)
    new = (t == k).double()
    w = new * share / max(float(new.sum()), 1) + (1 - new) * (1 - share) / max(
        float((1 - new).sum()), 1
    )
    return S, t, w


def _folds(n: Tensor) -> Tensor:
    """Cut each class into FOLDS blocks; a class of one text is in none."""
    parts = []
    for count in n.long().tolist():
        parts.append(torch.arange(count) * FOLDS // count if count > 1 else torch.tensor([-1]))
    return torch.cat(parts)


def residual_basis(background: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Return P (d, size) and x̄: the directions that hold most of r = (x − x̄)/‖x − x̄‖.

    Principal components about the origin, since r·r' is to be kept, not a variance.
    """
    centre = background.mean(0)
    r = background - centre
    r = r / torch.linalg.vector_norm(r, dim=1, keepdim=True).clamp_min(1e-6)
    vectors = torch.linalg.eigh(r.T @ r).eigenvectors.flip(1)[:, :size]
    top = vectors.abs().argmax(0, keepdim=True)
    return vectors * vectors.gather(0, top).sign(), centre


def _plan(model: Model, basis: Tensor, centre: Tensor, used: Settings) -> _Plan:
    W, P, x = model.W.double(), basis.double(), centre.double()
    A, B, C = Model(**{f: getattr(model, f).double() for f in Model.__annotations__}).quadratic()
    C = C + model.log_prior().double()
    assert used.temperature is not None and used.novelty is not None
    C[-1] += float(np.log(used.novelty / (1 - used.novelty)))
    joint = torch.cat([W, x[:, None], P], dim=1)
    shift = torch.cat([model.mu.double() @ W, x.new_zeros(1), x @ P])
    parts = (joint, shift, A.T / used.temperature, B.T / used.temperature, C / used.temperature)
    return _Plan(*(part.float().contiguous() for part in parts), norm=float(x @ x))
