"""A static encoder in numpy: a text's vector is the mean of one vector a token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tasks.core.encoding.encoder import Encoded, Read
from tasks.core.encoding.windows import WHOLE, Cutter
from tasks.core.numerics.rows import unit_rows
from tasks.core.query.plain_model import ABOUT, TOKENIZER, WEIGHTS, modules_of
from tasks.core.workspace.files import read_json

_KINDS = (["StaticEmbedding"], ["StaticEmbedding", "Normalize"])
_VECTORS = "embedding.weight"
_FEW = 32  # texts for which only the vectors of their own tokens are read
_SLICE = 256  # texts whose tokens are held at once


class StaticEncoder:
    """Encodes few texts or many: a text's mean is as quick as in a batch, and as exact."""

    precision, has_layers = "float32", False

    def __init__(self, weights: Any, tokenizer: Any, prompt: str) -> None:
        """Take `weights` (tokens, d), an open slice of a safetensors file, and their tokenizer."""
        self._weights, self._tokenizer, self._prompt = weights, tokenizer, prompt
        self.dimensions = int(weights.get_shape()[1])

    def encode(
        self, texts: Sequence[str], advance: Callable[[int], None], read: Read | None = None
    ) -> Encoded:
        """Encode `texts`, in their order; a text without any token is the zero vector."""
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        of = self._some if len(texts) <= _FEW else self._all.__getitem__
        for at in range(0, len(texts), _SLICE):
            part = [self._prompt + text for text in texts[at : at + _SLICE]]
            found = self._tokenizer.encode_batch_fast(part, add_special_tokens=False)
            for row, each in enumerate(found, start=at):
                if each.ids:
                    vectors[row] = of(each.ids).mean(axis=0)
            advance(len(part))
        return Encoded(unit_rows(vectors), np.zeros(len(texts), bool))

    def cutter(self, most: int, pieces: int | None = None) -> Cutter:
        """Return what cuts texts into windows: it reads texts of any length at once."""
        return Cutter(self._tokenizer, pieces or WHOLE, most)

    def _some(self, tokens: list[int]) -> np.ndarray:
        """Read the vectors of a text's tokens, and no others."""
        return np.concatenate([self._weights[token : token + 1] for token in tokens])

    @cached_property
    def _all(self) -> np.ndarray:
        whole: np.ndarray = self._weights[:]
        return whole


def static_encoder(folder: Path, max_length: int | None, prompt: str) -> StaticEncoder | None:
    """Read the model in `folder`; None where it is not static, as far as its files tell."""
    try:
        modules = modules_of(folder / "modules.json")
        about = read_json(folder / ABOUT) or {}
        if list(modules) not in _KINDS or max_length or about.get("default_prompt_name"):
            return None
        return _opened(folder / modules["StaticEmbedding"], prompt)
    except (AttributeError, KeyError, TypeError, ValueError):  # of another kind than is known here
        return None


def _opened(folder: Path, prompt: str) -> StaticEncoder | None:
    from safetensors import SafetensorError, safe_open

    if not (folder / WEIGHTS).is_file() or not (folder / TOKENIZER).is_file():
        return None
    try:
        held: Any = safe_open(folder / WEIGHTS, "numpy")
    except SafetensorError:  # `load_encoder` says what is wrong
        return None
    if list(held.keys()) != [_VECTORS] or held.get_slice(_VECTORS).get_dtype() != "F32":
        return None
    tokenizer = _tokenizer(folder / TOKENIZER)
    if tokenizer is None:
        return None
    tokenizer.no_padding()
    return StaticEncoder(held.get_slice(_VECTORS), tokenizer, prompt)


def _tokenizer(file: Path) -> Any:
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_file(str(file))
    except Exception:  # what it raises is no more than that; `load_encoder` says what is wrong
        return None
