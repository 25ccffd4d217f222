"""A transform's vectors in numpy: the formulas of `tasks.core.transforms`, for a query.

Here they take milliseconds, there a second until torch is loaded. A test holds both to the same
vectors. What a card or its tensors say beyond what is known here is left to the transform itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.numerics.erasure import Erasure
from tasks.core.numerics.rows import unit_rows
from tasks.core.query.pool import read_pool
from tasks.core.query.posterior import (
    LEAST_LOG,
    Tensors,
    discriminant_parts,
    embedded,
    is_discriminant,
    log_softmax,
    near,
    unit,
)
from tasks.core.settings.calibrated import (
    CalibratedAuto,
    CalibratedCentroids,
    CalibratedDiscriminant,
    CalibratedGsTransform,
    CalibratedKernel,
    CalibratedPool,
    CalibratedSettings,
)
from tasks.core.transforms.base import features_for, load
from tasks.core.transforms.card import read_artifact
from tasks.core.transforms.erasing import parted
from tasks.core.workspace.manifests import Card

Map = Callable[[NDArray[Any], NDArray[Any] | None, Sequence[str]], NDArray[Any]]
"""Base vectors (n, d), features (n, f) or None, and the texts, to vectors of a view (n, m)."""

POSTERIOR = ("discriminant", "kernel", "pool")  # methods that lay a posterior out
_GATE = "gate_"


def load_map(folder: Path) -> Map:
    """Read the transform in `folder` as a map of vectors alone.

    InputError where it is missing or corrupted, as when the transform itself is loaded.
    """
    from safetensors.numpy import load as deserialise

    payload, card = read_artifact(folder)
    found = known_map(card, deserialise(payload))
    if found is not None:
        return found
    transform = load(folder)[0]
    return lambda x, features, texts: transform.apply(x, features, texts).vectors


def known_map(card: Card, tensors: Tensors) -> Map | None:
    """Return the map of a transform; None where anything is not known here, or wrong."""
    try:
        method, settings = chosen(card)
        if method not in _MAPS:
            return None
        kind, read = _MAPS[method]
        own, erasure = parted(tensors, card)
        found = read(own, kind.of(settings), card.features)
        return found if found is None or erasure is None else _erased(found, erasure)
    except (KeyError, TypeError, ValueError, IndexError):
        return None  # `load` says what is wrong


def chosen(card: Card) -> tuple[str, dict[str, object]]:
    """Return the method that made a transform, and its settings: of `auto`, what it has chosen."""
    if card.method != "auto":
        return card.method, card.settings
    found = CalibratedAuto.of(card.settings)
    return found.chosen, found.settings.to_json()


def _erased(read: Map, erasure: Erasure) -> Map:
    return lambda x, features, texts: erasure.apply(read(x, features, texts))


def _identity(tensors: Tensors, _: CalibratedCentroids, features: int) -> Map | None:
    return (lambda x, *_: unit_rows(x)) if tensors.keys() == {"centroids"} else None


def _fda(tensors: Tensors, _: CalibratedCentroids, features: int) -> Map | None:
    if tensors.keys() != {"W", "mu", "centroids"}:
        return None
    return lambda x, *_: (unit_rows(x) - tensors["mu"]) @ tensors["W"]


def _gstransform(tensors: Tensors, _: CalibratedGsTransform, features: int) -> Map | None:
    layers = range(len(tensors) // 2)
    names = {f"{kind}_{at}" for at in layers for kind in ("weight", "bias")}
    if tensors.keys() != names | {"centroids"}:
        return None

    def apply(x: NDArray[Any], *_: object) -> NDArray[Any]:
        z = unit_rows(x)
        for at in layers:
            z = np.maximum(z, 0) if at else z
            z = z @ tensors[f"weight_{at}"].T + tensors[f"bias_{at}"]
        return z

    return apply


def _discriminant(tensors: Tensors, settings: CalibratedDiscriminant, features: int) -> Map | None:
    if not is_discriminant(tensors):
        return None
    parts = discriminant_parts(tensors, settings)

    def apply(x: NDArray[Any], beside: NDArray[Any] | None, _: Sequence[str]) -> NDArray[Any]:
        rich = features_for(features, beside) if features else x
        return embedded(*parts(unit(x), unit(rich)), settings.floor)

    return apply


def _kernel(tensors: Tensors, settings: CalibratedKernel, features: int) -> Map | None:
    gate = {n.removeprefix(_GATE): a for n, a in tensors.items() if n.startswith(_GATE)}
    own = tensors.keys() - {_GATE + name for name in gate}
    if own != {"landmarks", "weights"} or not is_discriminant(gate):
        return None
    parts = discriminant_parts(gate, settings.discriminant)
    landmarks, weights = (tensors[name].astype(np.float64) for name in ("landmarks", "weights"))
    share = settings.pool

    def apply(x: NDArray[Any], beside: NDArray[Any] | None, _: Sequence[str]) -> NDArray[Any]:
        rich = unit(features_for(features, beside) if features else x)
        log_p, new, r = parts(unit(x), rich)
        likeness = near(rich, landmarks, settings.width)
        own = log_softmax(settings.sharpness * (likeness @ weights))
        pooled = log_softmax((1 - share) * own + share * np.maximum(log_p, LEAST_LOG))
        return embedded(pooled, new, r, settings.discriminant.floor)

    return apply


def _pool(tensors: Tensors, settings: CalibratedPool, features: int) -> Map | None:
    pool = read_pool(tensors, settings)
    if pool is None:
        return None
    return lambda x, beside, texts: pool(
        x, features_for(features, beside) if features else x, texts
    )


_MAPS: dict[str, tuple[type[CalibratedSettings], Callable[[Tensors, Any, int], Map | None]]] = {
    "identity": (CalibratedCentroids, _identity),
    "fda": (CalibratedCentroids, _fda),
    "gstransform": (CalibratedGsTransform, _gstransform),
    "discriminant": (CalibratedDiscriminant, _discriminant),
    "kernel": (CalibratedKernel, _kernel),
    "pool": (CalibratedPool, _pool),
}
