"""A transform's vectors in numpy: the formulas of `tasks.core.transforms`, for a query.

Here they take milliseconds, there a second until torch is loaded. A test holds both to the same
vectors. What a card or its tensors say beyond what is known here is left to the transform itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.numerics.rows import unit_rows
from tasks.core.transforms.base import features_for, load
from tasks.core.transforms.card import read_artifact
from tasks.core.workspace.manifests import Card

Floats = NDArray[np.float64]
Tensors = Mapping[str, NDArray[Any]]
Map = Callable[[NDArray[Any], NDArray[Any] | None], NDArray[Any]]
"""Base vectors (n, d) and features (n, f), or None, to vectors of a view (n, m)."""

SAME, LEAST_LOG, DOUBT = 1e-6, -30.0, 0.5  # as in discriminant, kernel and posterior_space
_STRANGE, _GATE = "strange_", "gate_"
_PLDA = {"W", "mu", "ubar", "psi", "n", "basis", "centre"}
_SCORER = {f"{_STRANGE}{name}" for name in ("texts", "means", "level", "spread")}
_CHOSEN = {"temperature", "novelty", "floor", "residual", "shrinkage"}


def load_map(folder: Path) -> Map:
    """Read the transform in `folder` as a map of vectors alone.

    InputError where it is missing or corrupted, as when the transform itself is loaded.
    """
    from safetensors.numpy import load as deserialise

    payload, card = read_artifact(folder)
    try:
        found = _known(card, deserialise(payload))
    except (KeyError, TypeError, ValueError, IndexError):
        found = None  # `load` says what is wrong
    if found is not None:
        return found
    transform = load(folder)[0]
    return lambda x, features: transform.apply(x, features).vectors


def _known(card: Card, tensors: Tensors) -> Map | None:
    method, settings = card.method, card.settings
    if method == "auto":
        inner: Any = settings["settings"]
        method, settings = str(settings["chosen"]), inner
    if method not in _MAPS:
        return None
    return _MAPS[method](tensors, settings, card.features)


def _identity(tensors: Tensors, settings: Mapping[str, Any], features: int) -> Map | None:
    return (lambda x, _: unit_rows(x)) if tensors.keys() == {"centroids"} else None


def _fda(tensors: Tensors, settings: Mapping[str, Any], features: int) -> Map | None:
    if tensors.keys() != {"W", "mu", "centroids"}:
        return None
    return lambda x, _: (unit_rows(x) - tensors["mu"]) @ tensors["W"]


def _gstransform(tensors: Tensors, settings: Mapping[str, Any], features: int) -> Map | None:
    layers = range(len(tensors) // 2)
    names = {f"{kind}_{at}" for at in layers for kind in ("weight", "bias")}
    if tensors.keys() != names | {"centroids"}:
        return None

    def apply(x: NDArray[Any], _: NDArray[Any] | None) -> NDArray[Any]:
        z = unit_rows(x)
        for at in layers:
            z = np.maximum(z, 0) if at else z
            z = z @ tensors[f"weight_{at}"].T + tensors[f"bias_{at}"]
        return z

    return apply


def _discriminant(tensors: Tensors, settings: Mapping[str, Any], features: int) -> Map | None:
    if not _is_discriminant(tensors, settings):
        return None
    parts = _discriminant_parts(tensors, settings)

    def apply(x: NDArray[Any], beside: NDArray[Any] | None) -> NDArray[Any]:
        rich = features_for(features, beside) if features else x
        return _embedded(*parts(_unit(x), _unit(rich)), settings["floor"])

    return apply


def _kernel(tensors: Tensors, settings: Mapping[str, Any], features: int) -> Map | None:
    gate = {n.removeprefix(_GATE): a for n, a in tensors.items() if n.startswith(_GATE)}
    own = tensors.keys() - {_GATE + name for name in gate}
    if own != {"landmarks", "weights"} or not _is_discriminant(gate, settings["gate"]):
        return None
    if settings.keys() != {"width", "ridge", "sharpness", "pool", "gate"}:
        return None
    parts = _discriminant_parts(gate, settings["gate"])
    landmarks, weights = (tensors[name].astype(np.float64) for name in ("landmarks", "weights"))
    share = settings["pool"]

    def apply(x: NDArray[Any], beside: NDArray[Any] | None) -> NDArray[Any]:
        rich = _unit(features_for(features, beside) if features else x)
        log_p, new, r = parts(_unit(x), rich)
        near = np.exp(2 * settings["width"] * np.minimum(rich @ landmarks.T - 1, 0))
        own = _log_softmax(settings["sharpness"] * (near @ weights))
        pooled = _log_softmax((1 - share) * own + share * np.maximum(log_p, LEAST_LOG))
        return _embedded(pooled, new, r, settings["gate"]["floor"])

    return apply


_MAPS = {
    "identity": _identity,
    "fda": _fda,
    "gstransform": _gstransform,
    "discriminant": _discriminant,
    "kernel": _kernel,
}


def _is_discriminant(tensors: Tensors, settings: Mapping[str, Any]) -> bool:
    return settings.keys() == _CHOSEN and tensors.keys() - _SCORER == _PLDA


def _discriminant_parts(
    tensors: Tensors, settings: Mapping[str, Any]
) -> Callable[[Floats, Floats], tuple[Floats, Floats, Floats]]:
    """Return what gives ln p (n, k), ν (n, 1) and r (n, m) of unit rows; see `Discriminant`."""
    held = {name: array.astype(np.float64) for name, array in tensors.items()}
    A, B, C = _quadratic(held, settings)
    W, shift = held["W"], held["mu"] @ held["W"]

    def parts(x: Floats, rich: Floats) -> tuple[Floats, Floats, Floats]:
        r = _residual(x, held["basis"], held["centre"])
        u = rich @ W - shift
        scores = u**2 @ A.T + u @ B.T + C
        odds = scores[:, -1:] - _log_sum(scores[:, :-1])
        if held.keys() >= _SCORER:
            odds = odds + _strangeness(r, held)
        return _log_softmax(scores[:, :-1]), 1 / (1 + np.exp(-np.clip(odds, -700, 700))), r

    return parts


def _quadratic(
    held: Mapping[str, Floats], settings: Mapping[str, Any]
) -> tuple[Floats, Floats, Floats]:
    """Return A, B, C of the scores u² Aᵀ + u Bᵀ + C, over T, of k classes and then "new"."""
    n, psi = np.append(held["n"], 0.0), held["psi"]
    ubar = np.concatenate([held["ubar"], np.zeros((1, len(psi)))])
    spread = n[:, None] * psi + 1
    variance, mean = 1 + psi / spread, n[:, None] * psi / spread * ubar
    prior = np.append(0.5 * np.log(held["n"] / held["n"].sum()), 0.0)
    C = -0.5 * (mean**2 / variance + np.log(variance)).sum(axis=1) + prior
    C[-1] += math.log(settings["novelty"] / (1 - settings["novelty"]))
    T = settings["temperature"]
    return -0.5 / variance / T, mean / variance / T, C / T


def _residual(x: Floats, basis: Floats, centre: Floats) -> Floats:
    """Return r = Pᵀ(x - x̄)/‖x - x̄‖ of unit rows, and 0 where x is x̄."""
    squared = 1 - 2 * (x @ centre)[:, None] + centre @ centre
    length = np.sqrt(np.where(squared > SAME, squared, np.inf))
    r: Floats = (x - centre) @ basis / length
    return r


def _strangeness(r: Floats, held: Mapping[str, Floats]) -> Floats:
    u = _unit(r)
    near = [(u @ held[_STRANGE + name].T).max(axis=1) for name in ("texts", "means")]
    apart = (held[f"{_STRANGE}level"] - np.stack(near, axis=1)) / held[f"{_STRANGE}spread"]
    total: Floats = apart.sum(axis=1, keepdims=True)
    return total


def _embedded(log_p: Floats, new: Floats, r: Floats, floor: float) -> NDArray[np.float32]:
    """Return z = [√(1-ν) p, g r]; see `embed_posterior`."""
    p = np.exp(log_p)
    undecided = 1 - (p * p).sum(axis=1, keepdims=True)
    gate = np.sqrt(np.maximum(new + DOUBT**2 * (1 - new) * undecided, floor**2))
    return np.concatenate([p * np.sqrt(1 - new), gate * r], axis=1).astype(np.float32)


def _unit(x: NDArray[Any]) -> Floats:
    return unit_rows(x).astype(np.float64)


def _log_sum(scores: Floats) -> Floats:
    top = scores.max(axis=1, keepdims=True)
    whole: Floats = top + np.log(np.exp(scores - top).sum(axis=1, keepdims=True))
    return whole


def _log_softmax(scores: Floats) -> Floats:
    return scores - _log_sum(scores)
