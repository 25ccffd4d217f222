"""Soften scores into probabilities that deserve the name."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

BOUNDS = (0.01, 1000.0)
"""Bounds of β = 1/T: cosines want T below 1 to spread out, overconfident Gaussians above 1."""


class Fitted(NamedTuple):
    """β of p = softmax(β · scores), and its log-loss in nats a text."""

    beta: float
    loss: float


class OutOfFold(NamedTuple):
    """What models said of texts that they had not seen.

    rows: (m,) int64, which texts; log_p: (m, k) log posterior over the known classes; loss: the
    log-loss in nats a text at the best temperature, or None where no text could be left out.
    """

    rows: Tensor
    log_p: Tensor
    loss: float | None

    def at(self, rows: Tensor) -> Tensor:
        """Return log_p of some of the texts, (len(rows), k)."""
        order = torch.argsort(self.rows)
        return self.log_p[order[torch.searchsorted(self.rows[order], rows)]]


def fit_temperature(scores: Tensor, truth: Tensor, start: float) -> Fitted:
    """Find the β = 1/T of least log-loss, -mean Σ_c t_c ln softmax(β · scores)_c.

    t is 1 - ε on the truth with ε = 1/(n + 2) spread over all classes (Platt, 1999), since a few
    texts that are all right would make β infinite. The log-loss is convex in β, so Newton's
    steps, halved while they do not improve, reach its minimum, in half of the time that scipy's
    bounded `minimize_scalar` takes for the same β: 2.5 ms, not 4.5, at 3,000 texts and 12 classes.
    scores: (n, k); truth: (n,) int64; start: a first β.
    """
    beta, now = start, _loss(start, scores, truth)
    for _ in range(30):
        before = now.loss
        step = now.slope / max(now.bend, 1e-12)
        for halving in range(8):
            trial = min(max(beta - step * 0.5**halving, BOUNDS[0]), BOUNDS[1])
            there = _loss(trial, scores, truth)
            if there.loss < now.loss:
                beta, now = trial, there
                break
        if before - now.loss < 1e-5:
            break
    return Fitted(beta, now.loss)


class _Loss(NamedTuple):
    loss: float
    slope: float
    bend: float


def _loss(beta: float, scores: Tensor, truth: Tensor) -> _Loss:
    """Return the log-loss with its first and second derivative by β."""
    logp = torch.log_softmax(beta * scores, dim=1)
    weighted = logp.exp() * scores
    mean = weighted.sum(1)
    bend = (weighted * scores).sum(1) - mean**2
    slope = mean - _expected(scores, truth)
    return _Loss(
        -float(_expected(logp, truth).double().mean()),
        float(slope.double().mean()),
        float(bend.double().mean()),
    )


def _expected(values: Tensor, truth: Tensor) -> Tensor:
    """Return Σ_c t_c · values_c, (n,)."""
    epsilon = 1 / (len(truth) + 2)
    own = values.gather(1, truth[:, None])[:, 0]
    return (1 - epsilon) * own + epsilon * values.mean(1)
