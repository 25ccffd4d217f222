"""Posteriors in numpy: the formulas of a discriminant, and how a view's vectors are laid out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.numerics.rows import unit_rows
from tasks.core.settings.calibrated import CalibratedDiscriminant

Floats = NDArray[np.float64]
Tensors = Mapping[str, NDArray[Any]]

_LEAST_ROOT = 1e-16  # of 1-ν: a double is 0 there sooner than p is, which the label is read off
SAME, LEAST_LOG, DOUBT = 1e-6, -30.0, 0.5  # as in discriminant, experts.weights, posterior_space
_STRANGE, _DENSE = "strange_", "density_"
_PLDA = {"W", "mu", "ubar", "psi", "n", "basis", "centre"}
_SCORER = {f"{_STRANGE}{name}" for name in ("texts", "means", "level", "spread")}
_DENSITY = {f"{_DENSE}{name}" for name in ("landmarks", "weights", "width", "level", "spread")}


def is_discriminant(tensors: Tensors) -> bool:
    """Tell whether these are the tensors of a `Discriminant`, and nothing else."""
    return tensors.keys() - _SCORER - _DENSITY == _PLDA


def discriminant_parts(
    tensors: Tensors, settings: CalibratedDiscriminant
) -> Callable[[Floats, Floats], tuple[Floats, Floats, Floats]]:
    """Return what gives ln p (n, k), ν (n, 1) and r (n, m) of unit rows; see `Discriminant`."""
    held = {name: array.astype(np.float64) for name, array in tensors.items()}
    A, B, C = quadratic(held)
    C[-1] += math.log(settings.novelty / (1 - settings.novelty))
    W, shift, T = held["W"], held["mu"] @ held["W"], settings.temperature

    def parts(x: Floats, rich: Floats) -> tuple[Floats, Floats, Floats]:
        r = _residual(x, held["basis"], held["centre"])
        u = rich @ W - shift
        scores = (u**2 @ A.T + u @ B.T + C) / T
        odds = scores[:, -1:] - _log_sum(scores[:, :-1])
        if held.keys() >= _SCORER:
            odds = odds + _strangeness(r, held)
        log_p = log_softmax(scores[:, :-1])
        if held.keys() >= _DENSITY:
            odds = odds + _sparseness(x, np.exp(log_p), held)
        return log_p, 1 / (1 + np.exp(-np.clip(odds, -700, 700))), r

    return parts


def quadratic(held: Mapping[str, Floats]) -> tuple[Floats, Floats, Floats]:
    """Return A, B, C of the scores u² Aᵀ + u Bᵀ + C of k classes and then "new", before π and T."""
    n, psi = np.append(held["n"], 0.0), held["psi"]
    ubar = np.concatenate([held["ubar"], np.zeros((1, len(psi)))])
    spread = n[:, None] * psi + 1
    variance, mean = 1 + psi / spread, n[:, None] * psi / spread * ubar
    prior = np.append(0.5 * np.log(held["n"] / held["n"].sum()), 0.0)
    C = -0.5 * (mean**2 / variance + np.log(variance)).sum(axis=1) + prior
    return -0.5 / variance, mean / variance, C


def _residual(x: Floats, basis: Floats, centre: Floats) -> Floats:
    """Return r = Pᵀ(x - x̄)/‖x - x̄‖ of unit rows, and 0 where x is x̄."""
    squared = 1 - 2 * (x @ centre)[:, None] + centre @ centre
    length = np.sqrt(np.where(squared > SAME, squared, np.inf))
    r: Floats = (x - centre) @ basis / length
    return r


def _strangeness(r: Floats, held: Mapping[str, Floats]) -> Floats:
    u = unit(r)
    near = [(u @ held[_STRANGE + name].T).max(axis=1) for name in ("texts", "means")]
    apart = (held[f"{_STRANGE}level"] - np.stack(near, axis=1)) / held[f"{_STRANGE}spread"]
    total: Floats = apart.sum(axis=1, keepdims=True)
    return total


def _sparseness(x: Floats, p: Floats, held: Mapping[str, Floats]) -> Floats:
    found = near(x, held[f"{_DENSE}landmarks"], float(held[f"{_DENSE}width"][0]))
    usual = p @ held[f"{_DENSE}level"] - found @ held[f"{_DENSE}weights"]
    apart: Floats = usual[:, None] / held[f"{_DENSE}spread"]
    return apart


def near(x: Floats, landmarks: Floats, width: float) -> Floats:
    """Return exp(-γ‖x_i - z_j‖²) of unit rows, (n, m)."""
    likeness: Floats = np.exp(2 * width * np.minimum(x @ landmarks.T - 1, 0))
    return likeness


def embedded(
    log_p: Floats, new: Floats, r: Floats, floor: float, doubt: float = DOUBT
) -> NDArray[np.float32]:
    """Return z = [√(1-ν) p, g r]; see `embed_posterior`."""
    p = np.exp(log_p)
    undecided = 1 - (p * p).sum(axis=1, keepdims=True)
    gate = np.sqrt(np.maximum(new + doubt**2 * (1 - new) * undecided, floor**2))
    known = np.maximum(np.sqrt(1 - new), _LEAST_ROOT)
    return np.concatenate([p * known, gate * r], axis=1).astype(np.float32)


def unit(x: NDArray[Any]) -> Floats:
    """Return unit rows in double precision."""
    return unit_rows(x).astype(np.float64)


def _log_sum(scores: Floats) -> Floats:
    top = scores.max(axis=1, keepdims=True)
    whole: Floats = top + np.log(np.exp(scores - top).sum(axis=1, keepdims=True))
    return whole


def log_softmax(scores: Floats) -> Floats:
    """Return ln softmax by row."""
    return scores - _log_sum(scores)
