"""How much each expert counts: a logarithmic opinion pool, weighed by texts left out.

Genest and Zidek, "Combining Probability Distributions: A Critique and an Annotated Bibliography",
1986; that the weights are chosen by predictions left out: Wolpert, "Stacked Generalization", 1992.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

NONE = 1e-4  # weight up to which an expert is not asked
LEAST = -30.0  # of ln p: a posterior of 0 would rule a class out for the others, too
HELD = 0.1  # pull towards the first weights, in nats over all texts and a unit of squared distance
EARNED = 0.5
"""Nats over all texts left out that an expert must save to be kept. One that knows nothing saves
χ²/2 of one degree, or nothing where its weight would be negative: 2 in one case of fifty."""


@dataclass(frozen=True)
class Pooling:
    """Weights above 0 by the name of the expert, and the log-loss in nats a text left out."""

    weights: dict[str, float]
    loss: float


@dataclass(frozen=True)
class Worth:
    """An expert of a pool: its weight, its log-loss alone, and what the pool loses without it.

    Both in nats a text left out; alone: at the weight that is best for it.
    """

    expert: str
    weight: float
    alone: float
    saves: float


def pool(scores: Mapping[str, Tensor], truth: Tensor, first: Mapping[str, float]) -> Pooling:
    """Find the weights w ≥ 0 of least log-loss of p ∝ exp Σ_e w_e s_e.

    Minimises -mean Σ_c t_c ln p_c + 0.1 ‖w - w⁰‖²/n, convex in w, with t as `fit_temperature`
    smooths it. scores: s_e (n, k) by expert; truth: (n,) classes; first: w⁰.
    """
    from scipy.optimize import minimize

    names = list(scores)
    s = torch.stack([scores[name] for name in names])
    n, k = s.shape[1:]
    epsilon, row = 1 / (n + 2), torch.arange(n, device=s.device)
    target = (1 - epsilon) * s[:, row, truth].double().sum(1) + epsilon / k * s.double().sum((1, 2))
    start = np.array([first[name] for name in names])

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weight = torch.as_tensor(w, dtype=s.dtype, device=s.device)
        mixed = torch.einsum("e,enk->nk", weight, s)
        whole = mixed.logsumexp(1, keepdim=True)
        expected = torch.einsum("enk,nk->e", s, (mixed - whole).exp()).double()
        off = torch.as_tensor(w - start)
        value = whole.double().sum() - (torch.as_tensor(w, device=s.device) * target).sum()
        slope = (expected - target).cpu() / n + 2 * HELD * off / n
        return float(value / n) + HELD * float(off @ off) / n, slope.numpy()

    bounds = [(0.0, None)] * len(names)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    off = found.x - start
    weights = dict(zip(names, map(float, found.x), strict=True))
    weights = {name: weight for name, weight in weights.items() if weight > NONE}
    return Pooling(weights, float(found.fun) - HELD * float(off @ off) / n)


def earned(
    scores: Mapping[str, Tensor], truth: Tensor, first: Mapping[str, float]
) -> tuple[Pooling, list[Worth]]:
    """Pool the experts that save `EARNED`, and say what each is worth; the least goes first."""
    kept, n = dict(scores), len(truth)
    whole = pool(kept, truth, first)
    while True:
        without = {
            name: pool({other: s for other, s in kept.items() if other != name}, truth, first).loss
            for name in kept
            if len(kept) > 1
        }
        if not without or n * (min(without.values()) - whole.loss) >= EARNED:
            break
        kept.pop(min(without, key=lambda name: without[name]))
        whole = pool(kept, truth, first)
    worth = [
        Worth(
            name,
            whole.weights.get(name, 0.0),
            pool({name: scores[name]}, truth, first).loss,
            without.get(name, 0.0) - whole.loss if name in without else 0.0,
        )
        for name in scores
    ]
    return whole, worth


def pooled(scores: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Return ln p, p ∝ exp Σ_e w_e s_e, (n, k), of the experts that have a weight."""
    asked = [weight * scores[name] for name, weight in weights.items() if weight > 0]
    mixed = sum(asked) if asked else torch.zeros_like(next(iter(scores.values())))
    return torch.log_softmax(torch.as_tensor(mixed), dim=1)
