"""The edge between numpy and torch."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor


def as_tensor(x: NDArray[Any]) -> Tensor:
    """View an array as a tensor; a read-only one, as Arrow and safetensors give, is copied."""
    return torch.from_numpy(x if x.flags.writeable else x.copy())


def unit_times(x: Tensor, matrix: Tensor) -> Tensor:
    """Return (x/‖x‖) · matrix; ValueError where a value is not finite."""
    wide = x.float()
    length = torch.linalg.vector_norm(wide, dim=1, keepdim=True)
    if not bool(torch.isfinite(length).all()):
        raise ValueError("base vectors: some rows are not finite")
    return (wide @ matrix).div_(length.clamp_min(1e-12))
