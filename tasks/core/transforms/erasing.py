"""What is erased from a view's vectors, beside the tensors and in the card of its transform.

In the part of a vector that is its labels' posterior an aspect is where the labels go with it. The
other part, of what labels leave open, held nearly all of it: 93 % of the types of events could be
told there by a linear reader, 32 % from the posterior, 22 % by chance (a view by the type of
information, 3,000 labels). So that part alone is erased, and last: no expert is fitted anew, no
label moves, nothing that is not linear comes after. It has 128 dimensions where the base vectors
have 384, so that fewer labels tell which are to go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from tasks.core.numerics.erasure import Erasure
from tasks.core.workspace.manifests import Card, Erased

PREFIX = "erasure_"  # how the names of its tensors begin


def named(erasure: Erasure) -> dict[str, NDArray[Any]]:
    """Return the tensors of an erasure as they stand beside those of its transform."""
    return {PREFIX + name: array for name, array in erasure.tensors().items()}


def parted(
    tensors: Mapping[str, NDArray[Any]], card: Card
) -> tuple[dict[str, NDArray[Any]], Erasure | None]:
    """Return the tensors of a transform without those of its erasure, and that, if it has one.

    ValueError where tensors and card do not agree on it.
    """
    own = {name: array for name, array in tensors.items() if not name.startswith(PREFIX)}
    rest = {name.removeprefix(PREFIX): tensors[name] for name in tensors.keys() - own.keys()}
    if card.erased is None and not rest:
        return own, None
    about = card.erased or Erased()
    erasure = Erasure.restore(tuple(about.aspects), about.start, rest)
    found = (erasure.dimensions, erasure.of, erasure.start + erasure.of)
    if found != (about.dimensions, about.of, card.size):
        raise ValueError(f"erasure of {found[0]} in {found[1]} of {found[2]}, not as the card says")
    return own, erasure


def noted(erasure: Erasure) -> Erased:
    """Return what a card says of an erasure."""
    return Erased(
        aspects=list(erasure.aspects),
        start=erasure.start,
        dimensions=erasure.dimensions,
        of=erasure.of,
    )
