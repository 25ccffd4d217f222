"""The edge between numpy and torch."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor


def as_tensor(x: NDArray[Any]) -> Tensor:
    """View an array as a tensor; a read-only one, as Arrow and safetensors give, is copied."""
    return torch.from_numpy(x if x.flags.writeable else x.copy())
