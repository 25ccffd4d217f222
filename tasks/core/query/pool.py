"""A pool of experts in numpy: the formulas of `tasks.core.transforms.experts`, for a query."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.query.posterior import (
    LEAST_LOG,
    SAME,
    Floats,
    Tensors,
    discriminant_parts,
    embedded,
    is_discriminant,
    log_softmax,
    near,
    quadratic,
    unit,
)
from tasks.core.settings.calibrated import (
    CalibratedPool,
    CorpusExpert,
    KernelExpert,
    WordsExpert,
)
from tasks.core.text.ngrams import BUCKETS, ngrams

_TENSORS = {
    "kernel": {"landmarks", "weights"},
    "names": {"directions", "centre", "level", "spread"},
    "corpus": {"W", "mu", "ubar", "psi", "n"},
    "words": {"buckets", "rarity", "weights", "usual"},
}

_TEXTS = 256  # read together: of 300 n-grams a text and 40 labels, 13 MB

Expert = Callable[[Floats, Floats, Sequence[str]], Floats]
"""Unit rows of base vectors (n, d), of what labels read (n, f), and texts, to scores (n, k)."""


def read_pool(
    tensors: Tensors, settings: CalibratedPool
) -> Callable[[NDArray[Any], NDArray[Any], Sequence[str]], NDArray[Any]] | None:
    """Return the map of a `Pool`; None where something is there that is not known here."""
    held: dict[str, dict[str, NDArray[Any]]] = {}
    for name, array in tensors.items():
        who, _, what = name.partition("_")
        held.setdefault(who, {})[what] = array
    gate, own = held.pop("gate"), settings.discriminant
    if not is_discriminant(gate):
        return None
    if any(_TENSORS.get(who) != theirs.keys() for who, theirs in held.items()):
        return None
    parts, weights = discriminant_parts(gate, own), settings.weights
    experts = {who: _expert(who, _wide(theirs), settings) for who, theirs in held.items()}
    if {who for who, weight in weights.items() if weight} - {"discriminant"} != experts.keys():
        return None

    def apply(x: NDArray[Any], beside: NDArray[Any], texts: Sequence[str]) -> NDArray[Any]:
        base, rich = unit(x), unit(beside)
        log_p, new, r = parts(base, rich)
        mixed = weights.get("discriminant", 0.0) * np.maximum(log_p, LEAST_LOG)
        for who, expert in experts.items():
            mixed = mixed + weights[who] * expert(base, rich, texts)
        return embedded(log_softmax(mixed), new, r, own.floor, settings.doubt)

    return apply


def _expert(who: str, held: Mapping[str, Floats], settings: CalibratedPool) -> Expert:
    """Return the scores of one expert; KeyError where it has tensors, but no settings."""
    if who == "kernel" and settings.kernel is not None:
        return _kernel(held, settings.kernel)
    if who == "corpus" and settings.corpus is not None:
        return _corpus(held, settings.corpus)
    if who == "words" and settings.words is not None:
        return _words(held, settings.words)
    if who == "names":
        return _names(held)
    raise KeyError(who)


def _wide(tensors: Mapping[str, NDArray[Any]]) -> dict[str, Floats]:
    return {name: array.astype(np.float64) for name, array in tensors.items()}


def _kernel(held: Mapping[str, Floats], settings: KernelExpert) -> Expert:
    def scores(_: Floats, rich: Floats, texts: Sequence[str]) -> Floats:
        likeness = near(rich, held["landmarks"], settings.width)
        found = log_softmax(settings.sharpness * (likeness @ held["weights"]))
        return np.maximum(found, LEAST_LOG)

    return scores


def _names(held: Mapping[str, Floats]) -> Expert:
    centre = held["centre"]

    def scores(x: Floats, rich: Floats, texts: Sequence[str]) -> Floats:
        squared = 1 - 2 * (x @ centre)[:, None] + centre @ centre
        length = np.sqrt(np.where(squared > SAME, squared, np.inf))
        cosines = (x - centre) @ held["directions"] / length
        found: Floats = (cosines - held["level"]) / held["spread"]
        return found

    return scores


def _corpus(held: Mapping[str, Floats], settings: CorpusExpert) -> Expert:
    A, B, C = quadratic(held)
    W, shift, T = held["W"], held["mu"] @ held["W"], settings.temperature

    def scores(_: Floats, rich: Floats, texts: Sequence[str]) -> Floats:
        u = rich @ W - shift
        found = (u**2 @ A.T + u @ B.T + C)[:, :-1] / T
        return np.maximum(log_softmax(found), LEAST_LOG)

    return scores


def _words(held: Mapping[str, Floats], settings: WordsExpert) -> Expert:
    at, rarity = held["buckets"].astype(np.int64), held["rarity"][:, None]
    row = np.full(2 * BUCKETS, len(at))
    row[at] = np.arange(len(at))
    k = held["weights"].shape[1]
    rows = np.zeros((len(at) + 1, k + 1), np.float32)
    rows[:-1], rows[-1, k] = np.hstack([rarity * held["weights"], rarity**2]), held["usual"][0] ** 2

    def scores(x: Floats, rich: Floats, texts: Sequence[str]) -> Floats:
        blocks = [texts[at : at + _TEXTS] for at in range(0, len(texts), _TEXTS)]
        total = np.concatenate([_read(block) for block in blocks] or [np.zeros((0, k))])
        return np.maximum(log_softmax(settings.sharpness * total), LEAST_LOG)

    def _read(block: Sequence[str]) -> Floats:
        total = np.zeros((len(block), k))
        for bags in ngrams(block):
            sums, some = np.zeros((len(block), k + 1)), np.flatnonzero(np.diff(bags.starts))
            if len(some):
                found = rows[row[bags.buckets]]
                sums[some] = np.add.reduceat(found, bags.starts[some], axis=0, dtype=np.float64)
            total += sums[:, :k] / np.sqrt(np.maximum(2 * sums[:, k:], 1))
        return total

    return scores
