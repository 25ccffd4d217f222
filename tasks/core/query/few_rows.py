"""What a transform says of a few rows, by numpy: before torch is loaded, they are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.query.transform import POSTERIOR, Map, chosen, known_map
from tasks.core.transforms.base import Prediction
from tasks.core.transforms.card import read_artifact

_WORDS = "words_"  # the tensors of the expert that reads texts


@dataclass(frozen=True)
class FewRows:
    """A fitted map whose vectors begin with √(1-ν) p of k classes; see `embed_posterior`."""

    labels: tuple[str, ...]
    features: int
    reads_text: bool
    _map: Map

    def apply(
        self,
        x: NDArray[Any],
        features: NDArray[Any] | None = None,
        texts: Sequence[str] | None = None,
    ) -> Prediction:
        """Map base vectors (n, d), features (n, f) and texts, and read labels off the vectors.

        With s = Σ √(1-ν) p = √(1-ν), as Σ p = 1: ν = 1 - s², and (1-ν) p = s √(1-ν) p.
        """
        vectors = self._map(x, features, texts or ())
        known = vectors[:, : len(self.labels)].astype(np.float64)
        root, label = known.sum(axis=1), known.argmax(axis=1)
        best = root * known[np.arange(len(known)), label]
        novelty = np.clip(1 - root**2, 0, 1)
        return Prediction(
            vectors,
            label.astype(np.int32),
            best.astype(np.float32),
            novelty.astype(np.float32),
        )


def load_reader(folder: Path) -> FewRows | None:
    """Read the transform in `folder`; None where `transforms.base.load` has to.

    InputError where it is missing or corrupted.
    """
    from safetensors.numpy import load as deserialise

    payload, card = read_artifact(folder)
    tensors = deserialise(payload)
    found = known_map(card, tensors)
    if found is None or chosen(card)[0] not in POSTERIOR:
        return None
    words = any(name.startswith(_WORDS) for name in tensors)
    return FewRows(tuple(card.labels), card.features, words, found)
