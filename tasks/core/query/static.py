"""A static encoder in numpy: a text's vector is the mean of one vector a token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tasks.core.encoding.encoder import Encoded, Read
from tasks.core.numerics.rows import unit_rows
from tasks.core.query.plain_model import ABOUT, TOKENIZER, WEIGHTS, modules_of
from tasks.core.workspace.files import read_json

_KINDS = (["StaticEmbedding"], ["StaticEmbedding", "Normalize"])
_VECTORS = "embedding.weight"


class StaticEncoder:
    """Encodes one text after another; of the tokens' vectors only those of a text are ever read."""

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
        for row, text in enumerate(texts):
            ids = self._tokenizer.encode(self._prompt + text, add_special_tokens=False).ids
            if ids:
                each = np.concatenate([self._weights[token : token + 1] for token in ids])
                vectors[row] = each.mean(axis=0)
            advance(1)
        return Encoded(unit_rows(vectors), np.zeros(len(texts), bool))


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
