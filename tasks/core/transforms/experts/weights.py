"""How much each expert counts: a logarithmic opinion pool, weighed by texts left out.

Genest and Zidek, "Combining Probability Distributions: A Critique and an Annotated Bibliography",
1986; that the weights are chosen by predictions left out: Wolpert, "Stacked Generalization", 1992.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from tasks.core.numerics.tensors import as_tensor
from tasks.core.settings.calibrated import Worth

STEPS, ENOUGH = 30, 1e-7  # Newton's steps at most, and nats below which one gains nothing
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


def pool(scores: Mapping[str, Tensor], truth: Tensor, first: Mapping[str, float]) -> Pooling:
    """Find the weights w ≥ 0 of least log-loss of p ∝ exp Σ_e w_e s_e.

    Minimises -mean Σ_c t_c ln p_c + 0.1 ‖w - w⁰‖²/n, convex in w, with t as `fit_temperature`
    smooths it, by Newton's steps in the weights that are not held at 0 (Bertsekas, "Projected
    Newton Methods for Optimization Problems with Simple Constraints", 1982). scores: s_e (n, k) by
    expert; truth: (n,) classes; first: w⁰.
    """
    names = list(scores)
    s = torch.stack([scores[name] for name in names])
    w0 = as_tensor(np.array([first[name] for name in names]), s)
    problem = _Problem(s, truth, w0)
    w, now = w0, problem.at(w0)
    for _ in range(STEPS):
        slope, bend = problem.derivatives(w, now)
        free = (w > 0) | (slope < 0)
        step = torch.zeros_like(w)
        step[free] = torch.linalg.solve(bend[free][:, free], slope[free])
        before = now.loss
        for halving in range(8):
            trial = (w - step * 0.5**halving).clamp_min(0)
            there = problem.at(trial)
            if there.loss < now.loss:
                w, now = trial, there
                break
        if before - now.loss < ENOUGH:
            break
    weights = {name: float(each) for name, each in zip(names, w, strict=True) if each > NONE}
    return Pooling(weights, now.loss - HELD * float((w - w0) @ (w - w0)) / len(truth))


class _Point(NamedTuple):
    """The pulled log-loss at some weights, and ln p of the pool there, (n, k)."""

    loss: float
    log_p: Tensor


class _Problem:
    """The pulled log-loss of weights, float64; what is the same for all of them is made once.

    The loss alone is asked of every step that is tried, its derivatives of those that are taken.
    """

    def __init__(self, s: Tensor, truth: Tensor, w0: Tensor) -> None:
        self._s, self._truth, self._w0 = s, truth, w0
        self._n = n = s.shape[1]
        self._epsilon, self._row = 1 / (n + 2), torch.arange(n, device=s.device)
        self._target = self._smoothed(s[:, self._row, truth], s)
        self._pull = 2 * HELD / n
        self._eye = self._pull * torch.eye(len(w0), dtype=torch.float64, device=s.device)

    def at(self, w: Tensor) -> _Point:
        """Return the loss at w (e,)."""
        mixed = torch.einsum("e,enk->nk", w.to(self._s.dtype), self._s)
        whole = mixed.logsumexp(1, keepdim=True)
        held = self._smoothed(mixed[self._row, self._truth], mixed)
        loss, off = float((whole[:, 0] - held).double().mean()), w - self._w0
        return _Point(loss + HELD * float(off @ off) / self._n, mixed - whole)

    def derivatives(self, w: Tensor, there: _Point) -> tuple[Tensor, Tensor]:
        """Return the gradient (e,) and the Hessian (e, e) by w."""
        weighed = self._s * there.log_p.exp()
        mean = weighed.sum(2)
        bend = (weighed.flatten(1) @ self._s.flatten(1).T - mean @ mean.T).double() / self._n
        slope = (mean - self._target).double().mean(1)
        return slope + self._pull * (w - self._w0), bend + self._eye

    def _smoothed(self, of_truth: Tensor, of_all: Tensor) -> Tensor:
        return (1 - self._epsilon) * of_truth + self._epsilon * of_all.mean(-1)


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
            without[name] - whole.loss if name in without else 0.0,
        )
        for name in scores
    ]
    return whole, worth


def pooled(scores: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Return ln p, p ∝ exp Σ_e w_e s_e, (n, k), of the experts that have a weight."""
    asked = [weight * scores[name] for name, weight in weights.items() if weight > 0]
    mixed = sum(asked) if asked else torch.zeros_like(next(iter(scores.values())))
    return torch.log_softmax(torch.as_tensor(mixed), dim=1)
