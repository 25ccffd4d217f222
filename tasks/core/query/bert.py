"""The forward pass of a BERT encoder over one text, in numpy.

Devlin, Chang, Lee and Toutanova, "BERT: Pre-training of Deep Bidirectional Transformers", 2019.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_EMBEDDINGS, _NORM = "embeddings", "LayerNorm"
_ERF = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
_ERF_SCALE = 0.3275911


@dataclass(frozen=True)
class Shape:
    """What the weights do not tell of themselves: layers, heads, ε of the normalisation."""

    layers: int
    heads: int
    epsilon: float


class _Affine(NamedTuple):
    weight: Floats
    bias: Floats

    def of(self, x: Floats) -> Floats:
        """Return x Wᵀ + b."""
        return x @ self.weight.T + self.bias


class _Layer(NamedTuple):
    query: _Affine
    key: _Affine
    value: _Affine
    mixed: _Affine
    mixed_norm: _Affine
    wide: _Affine
    narrow: _Affine
    norm: _Affine


_PARTS = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    f"attention.output.{_NORM}",
    "intermediate.dense",
    "output.dense",
    f"output.{_NORM}",
)


class Bert:
    """An encoder whose weights were read; KeyError where some are missing or are no float32."""

    def __init__(self, weights: Path, shape: Shape) -> None:
        """Open a safetensors file; of the words' vectors only those of a text are ever read."""
        from safetensors import safe_open

        held: Any = safe_open(weights, "numpy")
        known = set(held.keys())

        def affine(name: str) -> _Affine:
            return _Affine(*(tensor(f"{name}.{end}") for end in ("weight", "bias")))

        def checked(name: str) -> Any:
            if name not in known or held.get_slice(name).get_dtype() != "F32":
                raise KeyError(name)
            return held.get_slice(name)

        def tensor(name: str) -> Floats:
            whole: Floats = checked(name)[:]
            return whole

        self._shape = shape
        self._words = checked(f"{_EMBEDDINGS}.word_embeddings.weight")
        kind = tensor(f"{_EMBEDDINGS}.token_type_embeddings.weight")[0]
        self._places = tensor(f"{_EMBEDDINGS}.position_embeddings.weight") + kind
        self._norm = affine(f"{_EMBEDDINGS}.{_NORM}")
        self._layers = [
            _Layer(*(affine(f"encoder.layer.{at}.{part}") for part in _PARTS))
            for at in range(shape.layers)
        ]

    def states(self, ids: list[int]) -> list[Floats]:
        """Return the states (t, h) after each layer of a text of t tokens."""
        words = np.concatenate([self._words[token : token + 1] for token in ids])
        x = self._normal(words + self._places[: len(ids)], self._norm)
        found = []
        for layer in self._layers:
            x = self._normal(x + layer.mixed.of(self._attended(x, layer)), layer.mixed_norm)
            x = self._normal(x + layer.narrow.of(gelu(layer.wide.of(x))), layer.norm)
            found.append(x)
        return found

    def _attended(self, x: Floats, layer: _Layer) -> Floats:
        """Return softmax(QKᵀ/√d)V of each head, side by side, (t, h)."""
        t, h = x.shape
        heads = self._shape.heads

        def split(part: _Affine) -> Floats:
            return part.of(x).reshape(t, heads, h // heads).transpose(1, 0, 2)

        q, k, v = split(layer.query), split(layer.key), split(layer.value)
        scores = q @ k.transpose(0, 2, 1) / np.float32((h // heads) ** 0.5)
        weights = np.exp(scores - scores.max(axis=2, keepdims=True))
        weights /= weights.sum(axis=2, keepdims=True)
        beside: Floats = (weights @ v).transpose(1, 0, 2).reshape(t, h)
        return beside

    def _normal(self, x: Floats, norm: _Affine) -> Floats:
        """Scale each state to mean 0 and variance 1, then by the layer's own scale and shift."""
        apart = x - x.mean(axis=1, keepdims=True)
        variance = (apart * apart).mean(axis=1, keepdims=True)
        normal: Floats = apart / np.sqrt(variance + np.float32(self._shape.epsilon))
        return normal * norm.weight + norm.bias


def gelu(x: Floats) -> Floats:
    """Return x Φ(x) = x (1 + erf(x/√2))/2, to 1e-6 at the most.

    erf by Abramowitz and Stegun, "Handbook of Mathematical Functions", 1964, 7.1.26, to 1.5e-7;
    numpy has none, and to import scipy's takes longer than to encode a text.
    """
    size = np.abs(x) * np.float32(0.5**0.5)
    t = 1 / (1 + np.float32(_ERF_SCALE) * size)
    series = np.zeros_like(t)
    for factor in reversed(_ERF):
        series = (series + np.float32(factor)) * t
    erf = np.copysign(1 - series * np.exp(-size * size), x)
    found: Floats = np.float32(0.5) * x * (1 + erf)
    return found
