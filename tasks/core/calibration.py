"""Soften scores into probabilities that deserve the name."""

from __future__ import annotations

import torch
from torch import Tensor

BOUNDS = (0.01, 1000.0)
"""Of 1/T: a temperature from 0.001 (cosines are small) to 100 (Gaussians are overconfident)."""


def calibrate(
    scores: Tensor, truth: Tensor, extra: Tensor | None = None, weights: Tensor | None = None
) -> tuple[float, float]:
    """Find the β = 1/T and the bias b of least log-loss.

    p = softmax(β · scores + b · extra); the log-loss is convex in (β, b), so Newton's steps,
    halved while they do not improve, reach its minimum.
    scores: (n, k) float64; truth: (n,) int64; extra: (k,), by default 0, so that b stays 0;
    weights: (n,), by default equal.
    """
    n, k = scores.shape
    weight = torch.full((n,), 1.0 / n, dtype=scores.dtype) if weights is None else weights
    column = torch.zeros(k, dtype=scores.dtype) if extra is None else extra
    theta = torch.tensor([1.0 / max(float(scores.std()), 1e-9), 0.0], dtype=scores.dtype)
    theta[0] = theta[0].clamp(*BOUNDS)
    best, gradient, hessian = _loss(theta, scores, column, truth, weight)
    for _ in range(50):
        step = torch.linalg.solve(hessian, gradient)
        for halving in range(20):
            trial = theta - step * 0.5**halving
            trial[0] = trial[0].clamp(*BOUNDS)
            loss, trial_gradient, trial_hessian = _loss(trial, scores, column, truth, weight)
            if loss < best:
                break
        else:
            break
        done = bool(best - loss < 1e-9)
        theta, best, gradient, hessian = trial, loss, trial_gradient, trial_hessian
        if done:
            break
    return float(theta[0]), float(theta[1])


def _loss(
    theta: Tensor, scores: Tensor, column: Tensor, truth: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the weighted log-loss with its gradient (2,) and Hessian (2, 2)."""
    logp = torch.log_softmax(theta[0] * scores + theta[1] * column, dim=1)
    p = logp.exp()
    mean_s, mean_e = (p * scores).sum(1), p @ column
    own = torch.stack([scores.gather(1, truth[:, None])[:, 0], column[truth]])
    gradient = (torch.stack([mean_s, mean_e]) - own) @ weight
    ss = (p * scores**2).sum(1) - mean_s**2
    se = (p * scores) @ column - mean_s * mean_e
    ee = p @ column**2 - mean_e**2
    hessian = (torch.stack([ss, se, se, ee]) @ weight).reshape(2, 2)
    ridge = 1e-9 * torch.eye(2, dtype=scores.dtype)
    return -(logp.gather(1, truth[:, None])[:, 0] @ weight), gradient, hessian + ridge
