"""Where the corpus is dense and the labels are not: texts of classes that nobody has labelled.

A ridge regression of "is labelled" on texts of both kinds (Kanamori, Hido and Sugiyama, "A
Least-squares Approach to Direct Importance Estimation", 2009, for the ratio of two densities).
How many such texts there are: Blanchard, Lee and Scott, "Semi-Supervised Novelty Detection", 2010.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from tasks.core.numerics.tensors import as_tensor, class_sums, times
from tasks.core.transforms.experts.kernel_ridge import near, raised, span

WEIGHT = 3.0  # log-odds of "new" for a standard deviation
NEW = 0.05  # share of new texts above which the density is asked
LANDMARKS = 400  # texts of the corpus
WIDTH = 3.0  # γ times the median squared distance
RIDGE = 1.0
PSEUDO = 5.0  # texts of the mean level that each class's own level is drawn towards
QUANTILES = (0.02, 0.4)  # of the labelled texts, between which the share of new ones is read off
SURE = 2.0  # standard errors that the share is lessened by
LEAST = 1e-4  # of the spread


@dataclass(frozen=True)
class Density:
    """P(x) = k(x)ᵀα on landmarks (m, d), what is usual for each class (k,), and the spread.

    spread: of labelled texts around what is usual, over WEIGHT.
    """

    landmarks: Tensor
    weights: Tensor
    width: Tensor
    level: Tensor
    spread: Tensor

    def of(self, x: Tensor, p: Tensor) -> Tensor:
        """Return the log-odds of "new" (Σ_c p_c l_c - P(x))/s, (n, 1), for posteriors p (n, k).

        x: (n, d) unit rows.
        """
        likeness = near(times(x, self.landmarks.T), float(self.width))
        return self.standard((likeness @ self.weights)[:, None], p)

    def standard(self, found: Tensor, p: Tensor) -> Tensor:
        """Return how far P (n, 1) lies below what is usual where p (n, k) says a text belongs."""
        return ((p @ self.level)[:, None] - found) / self.spread

    def tensors(self) -> dict[str, Tensor]:
        """Return the fields by name, as they are stored."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def compare(
    x: Tensor, y: Tensor, texts: Tensor, k: int, corpus: Tensor
) -> tuple[Density, Tensor, float]:
    """Regress "is labelled"; return also P of each labelled text left out, and the share of new.

    x: (n, d) labelled unit rows with classes y (n,); texts: (n,), one number for all rows of a
    text, which is left out with all of them; corpus: (b, d) unit rows without labels. The share
    is a lower bound: max over q of (F(τ_q) - q - 2 SE)/(1 - q), where τ_q is the q-quantile of
    the labelled texts' P, and F(τ_q) the share of the corpus below.
    """
    step = 1 + (len(corpus) - 1) // LANDMARKS
    landmarks = corpus[::step].contiguous()
    scale = float((2 - 2 * landmarks @ landmarks.T).clamp_min(0).median())
    space = span(landmarks, WIDTH / max(scale, LEAST))
    both = torch.cat([x, corpus])
    phi, is_labelled = (
        space.features(both),
        torch.cat([x.new_ones(len(x)), x.new_zeros(len(corpus))]),
    )
    C = torch.linalg.cholesky(raised(phi @ phi.T, RIDGE))
    U = torch.linalg.solve_triangular(C, phi, upper=False)
    target, h = U @ is_labelled, (U * U).sum(0)
    many = torch.cat([torch.bincount(texts)[texts], texts.new_ones(len(corpus))])
    left = (U.T @ target - many * h * is_labelled) / (1 - many * h).clamp_min(1e-3)
    own, around = left[: len(x)], left[len(x) :]
    n = torch.bincount(y, minlength=k)
    level = (class_sums(own[:, None], y, k)[:, 0] + PSEUDO * own.mean()) / (n + PSEUDO)
    beta = torch.linalg.solve_triangular(C.T, target[:, None], upper=True)
    spread = (own - level[y]).square().mean().sqrt().clamp_min(LEAST).reshape(1) / WEIGHT
    width = as_tensor(np.array([space.width], np.float32), x)
    found = Density(landmarks, space.weights(beta)[:, 0].contiguous(), width, level, spread)
    return found, own, _share(own, around)


def _share(own: Tensor, around: Tensor) -> float:
    q = torch.linspace(*QUANTILES, 39, device=own.device)
    below = (around[None] <= torch.quantile(own, q)[:, None]).float().mean(1)
    error = (q * (1 - q) / len(own) + below * (1 - below) / len(around)).sqrt()
    return float(((below - q - SURE * error) / (1 - q)).max().clamp_min(0))
