"""A device that is none: tensors that say they are elsewhere, and are computed here.

As with CUDA, an operation on tensors of two devices is an error, and so is reading one of another
device as an array. The name is that of a device which every build of torch knows.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

DEVICE = "meta"
MIXING = {torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default}
"""Operations that may read from one device and write to another."""
PRODUCTS = {torch.ops.aten.mm.default, torch.ops.aten.addmm.default}
INDEXING = {torch.ops.aten.index.Tensor}  # by indices that are here


class Elsewhere(Tensor):
    """A tensor of the pretended device; `here` holds its numbers."""

    here: Tensor

    @staticmethod
    def __new__(cls, here: Tensor) -> Elsewhere:
        """Say of `here` that it is elsewhere."""
        made: Elsewhere = Tensor._make_wrapper_subclass(
            cls, here.size(), strides=here.stride(), dtype=here.dtype, device=DEVICE
        )
        made.here = here
        return made

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Compute here what was asked for elsewhere."""
        return compute(func, args, kwargs or {})


class Pretended(TorchDispatchMode):
    """Within the block, tensors can be made on the device; `products` counts those of matrices."""

    def __init__(self) -> None:
        super().__init__()
        self.products = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Compute here, also where no tensor says that it is elsewhere."""
        found = compute(func, args, kwargs or {})
        self.products += isinstance(found, Elsewhere) and func in PRODUCTS
        return found


def compute(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Run one operation; its results are where its tensors are, or where `device` says."""
    tensors = [each for each in tree_flatten((args, kwargs))[0] if isinstance(each, Tensor)]
    there = [each for each in tensors if isinstance(each, Elsewhere)]
    here = [each for each in tensors if not isinstance(each, Elsewhere) and each.dim()]
    if there and here and func not in MIXING | INDEXING:
        raise RuntimeError(f"{func}: tensors of two devices")
    asked = kwargs.get("device")
    elsewhere = bool(there) if asked is None else torch.device(asked).type == DEVICE
    if asked is not None:
        kwargs = kwargs | {"device": torch.device("cpu")}
    known = {id(each.here): each for each in there}
    bare = tree_map(lambda each: each.here if isinstance(each, Elsewhere) else each, (args, kwargs))
    found = func(*bare[0], **bare[1])
    if func is torch.ops.aten.copy_.default:
        return args[0]

    def placed(each: Any) -> Any:
        if not isinstance(each, Tensor) or not elsewhere:
            return each
        return known[id(each)] if id(each) in known else Elsewhere(each)

    return tree_map(placed, found)
