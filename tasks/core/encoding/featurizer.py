"""Text to what is stored of it: its vector and, where the encoder has layers, its features."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path

import numpy as np

from tasks.core.encoding.encoder import Encoded, Encoder
from tasks.core.encoding.features import LayerPca, fit_layer_pca
from tasks.core.encoding.vector_space import fingerprint
from tasks.core.settings.table_sections import EmbedSettings
from tasks.core.store.tables import FEATURES, VECTOR
from tasks.core.workspace.files import digest, write_bytes
from tasks.core.workspace.manifests import BaseNote, EncoderNote, FeaturesNote

Codes = tuple[np.ndarray, ...]
"""What a text is coded as: its vector (d,), and its features (f,) where they are kept."""


@dataclass(frozen=True)
class Featurizer:
    """An encoder, the map of its features if they are kept, and texts that it has coded already.

    seen: codes by text hash, from the sample that the map was fitted on; cut, windowed: which of
    them are of texts that were longer than the model reads, or read by several windows.
    """

    encoder: Encoder
    reduction: LayerPca | None = None
    seen: Mapping[str, Codes] = field(default_factory=dict)
    cut: frozenset[str] = frozenset()
    windowed: frozenset[str] = frozenset()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that hold the codes."""
        return (VECTOR,) if self.reduction is None else (VECTOR, FEATURES)

    def code(
        self, texts: Sequence[str], advance: Callable[[int], None]
    ) -> tuple[tuple[np.ndarray, ...], np.ndarray, np.ndarray]:
        """Return the columns (n, d) and maybe (n, f), and (n,) which texts were cut or windowed."""
        read = None if self.reduction is None else self.reduction.apply
        found = self.encoder.encode(texts, advance, read)
        windowed = np.zeros(len(texts), bool) if found.windowed is None else found.windowed
        if self.reduction is None:
            return (found.vectors,), found.cut, windowed
        kept = found.kept if found.kept is not None else np.empty((0, self.reduction.dimensions))
        return (found.vectors, kept.astype(np.float32)), found.cut, windowed


def describe(settings: EmbedSettings, coder: Featurizer) -> BaseNote:
    """Return what is noted with a table: the space's fingerprint and how it was made."""
    kept = settings.model_dump(include={"model", "revision", "prompt", "max_length"})
    note = BaseNote(
        fingerprint=fingerprint(settings),
        settings=EncoderNote(**kept, precision=coder.encoder.precision),
        dimensions=coder.encoder.dimensions,
    )
    if coder.reduction is None:
        return note
    size, mapped = coder.reduction.dimensions, coder.reduction.fingerprint
    return note.changed(features=FeaturesNote(dimensions=size, fingerprint=mapped))


def space_of(note: BaseNote) -> str:
    """Return a fingerprint of all that transforms are fitted on: vectors, and features if any."""
    if note.features is None:
        return note.fingerprint
    return digest(note.fingerprint, note.features.fingerprint)


def fit_coder(
    encoder: Encoder,
    texts: Mapping[str, str],
    size: int,
    memory: Path,
    advance: Callable[[int], None],
) -> Featurizer:
    """Fit the map of the features on a sample of the corpus, whose codes are kept in `memory`.

    texts: by text hash. The shards find their codes there, so that no text is encoded twice.
    """
    if not encoder.has_layers:
        return Featurizer(encoder)
    hashes = list(texts)
    found = encoder.encode(list(texts.values()), advance, np.copy)
    if found.kept is None:
        raise ValueError("no texts to fit the features on")
    reduction = fit_layer_pca(found.kept, size)
    _save_seen(memory, reduction, hashes, found, reduction.apply(found.kept))
    return Featurizer(encoder, reduction)


def _save_seen(
    memory: Path, reduction: LayerPca, hashes: list[str], found: Encoded, features: np.ndarray
) -> None:
    from safetensors.numpy import save

    about = {"reduction": reduction.fingerprint, "hashes": json.dumps(hashes)}
    for name, which in (("cut", found.cut), ("windowed", found.windowed)):
        about[name] = json.dumps(list(compress(hashes, () if which is None else which)))
    write_bytes(memory, save({VECTOR: found.vectors, FEATURES: features}, about))


def load_coder(encoder: Encoder, reduction: LayerPca, memory: Path) -> Featurizer:
    """Return a coder that has seen what `memory` holds; nothing, where that is of another map."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(memory, "numpy") as held:
            about = held.metadata() or {}
            if about.get("reduction") != reduction.fingerprint or "windowed" not in about:
                return Featurizer(encoder, reduction)
            codes = zip(held.get_tensor(VECTOR), held.get_tensor(FEATURES), strict=True)
            seen = dict(zip(json.loads(about["hashes"]), codes, strict=True))
            which = (frozenset(json.loads(about[name])) for name in ("cut", "windowed"))
            return Featurizer(encoder, reduction, seen, *which)
    except (OSError, SafetensorError):
        return Featurizer(encoder, reduction)
