"""The states of an encoder's layers, kept beside its vectors from the same pass."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from tasks.core.encoding.features import kept_layers


def keep_layers(model: Any, size: int) -> int:
    """Let a sentence encoder put the states of its layers, if asked, behind a text's vector.

    size: the width d of the vector. Returns how many layers these are; 0 for a model that has none.
    """
    config: Any = getattr(getattr(model[0], "auto_model", None), "config", None)
    depth = int(getattr(config, "num_hidden_layers", 0) or 0)
    if not depth:
        return 0
    model.truncate_dim = None  # `size` says what to cut, and the states behind it stay
    chosen = kept_layers(depth)
    model.add_module("refract_layers", _Layers(chosen, size))
    return len(chosen)


class _Layers(torch.nn.Module):
    """[vector, mean over tokens of the state of each chosen layer], (n, d + L·h)."""

    def __init__(self, chosen: list[int], size: int) -> None:
        super().__init__()
        self._chosen = chosen
        self._size = size

    def forward(self, features: dict[str, Any]) -> dict[str, Any]:
        """Lengthen `sentence_embedding` where the states are there; else leave it as it is."""
        states = features.pop("all_layer_embeddings", None)
        if states is not None:  # somebody asked
            pooled = _pooled([states[at] for at in self._chosen], features["attention_mask"])
            vector = features["sentence_embedding"][:, : self._size].float()
            features["sentence_embedding"] = torch.cat([vector, pooled], dim=1)
        return features


def _pooled(states: list[Tensor], mask: Tensor) -> Tensor:
    """Return the mean over a text's tokens (n, L·h) of L states (n, t, h); mask: (n, t)."""
    weights = mask[:, None, :].to(states[0].dtype)
    sums = torch.bmm(weights, torch.cat(states, dim=2))[:, 0]
    return sums.float() / mask.float().sum(1, keepdim=True)
