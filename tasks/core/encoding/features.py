"""Features: the states of several layers, pooled and reduced, from the pass that encodes a text.

The last layer of a sentence encoder is trained to forget tone, form and other aspects that an
instruction may ask for; the layers below still hold them (Tenney, Das and Pavlick, "BERT
Rediscovers the Classical NLP Pipeline", ACL 2019). The encoder makes them anyway: keeping them was
measured to take a twentieth of the rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import content_hash, write_bytes

if TYPE_CHECKING:
    from torch import Tensor

KEPT = 6  # layers whose states are kept, evenly spread: all of the bundled encoder's
SAMPLE = 4_096  # texts that a reduction is fitted on: ten a dimension at 384
_CHUNK = 2_048
_FEW = 8  # texts, as of a query: they are not worth the second that torch takes to load
_LEAST = 1e-6  # length below which a state has no direction

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class LayerPca:
    """A fixed linear map from pooled states to features.

    centres: (L, d) the mean state of each layer; mean: (L·d,); components: (L·d, f), orthonormal.
    """

    centres: Floats
    mean: Floats
    components: Floats

    @property
    def dimensions(self) -> int:
        """The number f of features that a text is mapped to."""
        return int(self.components.shape[1])

    @cached_property
    def fingerprint(self) -> str:
        """A fingerprint of the map's numbers."""
        return content_hash(b"".join(array.tobytes() for array in self._arrays().values()))

    def apply(self, states: NDArray[np.floating]) -> Floats:
        """Map pooled states (n, L, d) to features (n, f).

        f = Pᵀ(a - ā), a = [a_1, …, a_L], a_l = (h_l - c_l)/‖h_l - c_l‖: each layer counts alike,
        whatever the size of its states.
        """
        found = np.empty((len(states), self.dimensions), np.float32)
        for start in range(0, len(states), _CHUNK):
            part = slice(start, start + _CHUNK)
            found[part] = self._reduced(directions(states[part], self.centres) - self.mean)
        return found

    def _reduced(self, a: Floats) -> Floats:
        if len(a) <= _FEW:
            return a @ self.components
        from tasks.core.numerics.tensors import as_array, as_tensor

        return as_array(as_tensor(a) @ self._components)

    @cached_property
    def _components(self) -> Tensor:
        """The components as a tensor: numpy's threads would disturb those of torch."""
        from tasks.core.numerics.tensors import as_tensor

        return as_tensor(self.components)

    def save(self, file: Path) -> None:
        """Write the map, whole or not at all."""
        from safetensors.numpy import save

        write_bytes(file, save(self._arrays(), {"fingerprint": self.fingerprint}))

    def _arrays(self) -> dict[str, Floats]:
        """Return what is written: row by row, as safetensors takes an array's memory as it lies."""
        arrays = {"centres": self.centres, "mean": self.mean, "components": self.components}
        return {name: np.ascontiguousarray(array) for name, array in arrays.items()}


def kept_layers(depth: int) -> list[int]:
    """Return which of `depth` layers, counted from 1, have their states kept."""
    chosen = np.linspace(1, depth, min(KEPT, depth)).round().astype(int)
    return [int(layer) for layer in np.unique(chosen)]


def load_layer_pca(file: Path) -> LayerPca:
    """Read a map; InputError where the file is missing or is not what was written."""
    from safetensors import SafetensorError, safe_open

    way_on = "run 'refract embed --rebuild'"
    if not file.is_file():
        raise InputError(f"{file}: not found; expected the map of the features; {way_on}")
    try:
        with safe_open(file, "numpy") as held:
            found = LayerPca(*(held.get_tensor(n) for n in ("centres", "mean", "components")))
            noted = (held.metadata() or {}).get("fingerprint")
    except (SafetensorError, OSError, ValueError) as error:
        first = str(error).split("\n", 1)[0]
        raise InputError(f"{file}: unreadable ({first}); expected safetensors; {way_on}") from error
    if found.fingerprint != noted:
        raise InputError(f"{file}: its numbers are not those that were written; {way_on}")
    return found


def fit_layer_pca(states: NDArray[np.floating], size: int, seed: int = 0) -> LayerPca:
    """Fit the map on pooled states (n, L, d), without labels: principal components.

    Of fewer texts than `size` + 1 not enough components can be known; the others are then random
    directions, orthogonal to them, of which `seed` decides: they keep distances about as they are
    (Johnson and Lindenstrauss, 1984). size: how many features f, at most L·d.
    """
    wide = np.asarray(states, np.float32)
    centres = wide.mean(0)
    a = directions(wide, centres)
    mean = a.mean(0)
    values, vectors = _principal((a - mean).astype(np.float64))
    size = min(size, a.shape[1])
    known = min(size, int((values > _LEAST * max(values[0], _LEAST)).sum()))
    components = vectors[:, :known]
    top = np.abs(components).argmax(0)
    components = components * np.sign(components[top, np.arange(known)])
    if known < size:
        components = _completed(components, size, seed)
    return LayerPca(centres, mean, np.ascontiguousarray(components, np.float32))


def directions(states: NDArray[np.floating], centres: Floats) -> Floats:
    """Return a = [a_1, …, a_L], (n, L·d): each layer's state from its centre, at unit length."""
    a = np.asarray(states, np.float32) - centres
    a /= np.maximum(np.linalg.norm(a, axis=2, keepdims=True), np.float32(_LEAST))
    return a.reshape(len(a), -1)


def _principal(a: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return variances (q,), the greatest first, and their directions (D, q) of rows (n, D)."""
    if len(a) < a.shape[1]:
        _, lengths, rows = np.linalg.svd(a, full_matrices=False)
        return lengths**2 / len(a), rows.T
    values, vectors = np.linalg.eigh(a.T @ a / len(a))
    return values[::-1], vectors[:, ::-1]


def _completed(components: NDArray[np.float64], size: int, seed: int) -> NDArray[np.float64]:
    missing = size - components.shape[1]
    drawn = np.random.default_rng(seed).standard_normal((len(components), missing))
    both, triangle = np.linalg.qr(np.concatenate([components, drawn], axis=1))
    return both * np.sign(np.diag(triangle))
