"""Which encoders are plain: a BERT, its word pieces, the mean or the first of its states.

A model's own files say so. What they say beyond this, or otherwise, is for sentence-transformers:
nothing is refused here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.core.query.bert import Shape
from tasks.core.workspace.files import read_json

WEIGHTS, TOKENIZER = "model.safetensors", "tokenizer.json"
ABOUT = "config_sentence_transformers.json"
_KINDS = (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"])
_SPECIAL = {name: f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
_EPSILON = "layer_norm_eps"
_POOLED = {"mean": "pooling_mode_mean_tokens", "cls": "pooling_mode_cls_token"}

Note = Mapping[str, Any]


@dataclass(frozen=True)
class PlainModel:
    """A plain encoder. limit: tokens that it reads of a text; pooling: mean or cls."""

    weights: Path
    tokenizer: Path
    shape: Shape
    dimensions: int
    limit: int
    pooling: str


def plain_model(folder: Path, max_length: int | None) -> PlainModel | None:
    """Read the model in `folder`; None where it is not plain, as far as its files tell.

    max_length: tokens to read of a text; None: as many as the model says.
    """
    try:
        return _read(folder, max_length)
    except (AttributeError, KeyError, TypeError, ValueError):  # of another kind than is known here
        return None


def _read(folder: Path, max_length: int | None) -> PlainModel | None:
    modules = modules_of(folder / "modules.json")
    if list(modules) not in _KINDS or (folder / "adapter_config.json").exists():
        return None
    own = folder / modules["Transformer"]
    if not (own / WEIGHTS).is_file():  # in shards, or in another format
        return None
    config, pooling = _note(own / "config.json"), folder / modules["Pooling"] / "config.json"
    words = _note(own / "tokenizer_config.json") or {}
    asked = _note(own / "sentence_bert_config.json") or {}
    how, about = _pooling(_note(pooling) or {}), _note(folder / ABOUT) or {}
    if config is None or how is None or about.get("default_prompt_name"):
        return None
    if not (_is_bert(config) and _asks_nothing(asked) and _has_word_pieces(own, words)):
        return None
    limit = max_length or _limit(config, words, asked)
    if not 2 < limit <= config["max_position_embeddings"]:
        return None
    shape = Shape(*(config[key] for key in ("num_hidden_layers", "num_attention_heads", _EPSILON)))
    return PlainModel(own / WEIGHTS, own / TOKENIZER, shape, config["hidden_size"], limit, how)


def _note(file: Path) -> Note | None:
    return read_json(file)


def modules_of(file: Path) -> dict[str, str]:
    """Return the folder of each module by its kind, in their order; none of kinds that repeat.

    KeyError, TypeError or ValueError where the file is no list of modules.
    """
    if not file.is_file():
        return {}
    listed = json.loads(file.read_text("utf-8"))
    found = {_kind(each["type"]): str(each["path"]) for each in listed}
    return found if len(found) == len(listed) else {}


def _kind(name: str) -> str:
    library, _, rest = name.partition(".")
    return rest.rpartition(".")[2] if library == "sentence_transformers" else name


def _pooling(note: Note) -> str | None:
    if not note.get("include_prompt", True):
        return None
    named = {name for name, on in note.items() if name.startswith("pooling_mode_") and on}
    mode = note.get("pooling_mode")
    if mode is None:
        return next((how for how, key in _POOLED.items() if named == {key}), None)
    return mode if isinstance(mode, str) and mode in _POOLED else None


def _is_bert(config: Note) -> bool:
    numbers = ("num_hidden_layers", "num_attention_heads", "hidden_size", "max_position_embeddings")
    odd = ("is_decoder", "add_cross_attention", "quantization_config", "auto_map")
    return (
        config.get("model_type") == "bert"
        and config.get("architectures") == ["BertModel"]
        and config.get("hidden_act") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and not any(config.get(key) for key in odd)
        and all(isinstance(config.get(key), int) and config[key] > 0 for key in numbers)
        and isinstance(config.get(_EPSILON), float)
    )


def _asks_nothing(asked: Note) -> bool:
    """Tell whether the transformer's settings are those that every text is encoded with."""
    said = {key: value for key, value in asked.items() if key != "max_seq_length" and value}
    text = {"text": {"method": "forward", "method_output_name": "last_hidden_state"}}
    usual = {
        "transformer_task": "feature-extraction",
        "modality_config": text,
        "module_output_name": "token_embeddings",
    }
    return all(usual.get(key) == value for key, value in said.items())


def _limit(config: Note, words: Note, asked: Note) -> int:
    most = asked.get("max_seq_length")
    if isinstance(most, int):
        return most
    limits = (words.get("model_max_length"), config["max_position_embeddings"])
    return min(int(limit) for limit in limits if isinstance(limit, int | float))


def _has_word_pieces(folder: Path, words: Note) -> bool:
    """Tell whether texts are cut as BERT cuts them, and both files of the tokenizer agree on it."""
    found = _note(folder / TOKENIZER)
    if found is None or words.get("tokenizer_class") not in ("BertTokenizer", "BertTokenizerFast"):
        return False
    normal = {
        "type": "BertNormalizer",
        "clean_text": True,
        "handle_chinese_chars": words.get("tokenize_chinese_chars", True),
        "strip_accents": words.get("strip_accents"),
        "lowercase": words.get("do_lower_case", True),
    }
    model, added = found.get("model") or {}, found.get("added_tokens") or []
    pieces = (model.get("type", "WordPiece"), model.get("unk_token"))
    rest = (model.get("continuing_subword_prefix"), model.get("max_input_chars_per_word"))
    return (
        found.get("normalizer") == normal
        and found.get("pre_tokenizer") == {"type": "BertPreTokenizer"}
        and (*pieces, *rest) == ("WordPiece", "[UNK]", "##", 100)
        and _template(found.get("post_processor") or {}) == ["[CLS]", "A", "[SEP]"]
        and {token.get("content") for token in added} <= set(_SPECIAL.values())
        and not words.get("added_tokens_decoder", {}).keys() - {str(t.get("id")) for t in added}
        and all(words.get(f"{name}_token", mark) == mark for name, mark in _SPECIAL.items())
    )


def _template(processor: Note) -> list[str]:
    """Return what one text is put into, such as [CLS] A [SEP], all of token type 0."""
    if processor.get("type") != "TemplateProcessing":
        return []
    parts = [part for each in processor.get("single", []) for part in each.values()]
    return [str(part["id"]) for part in parts if part.get("type_id") == 0]
