"""The methods that settings may name; a new one is a file in `transforms` and a line here."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

METHODS = {
    "auto": ".default_auto:Auto",
    "discriminant": ".discriminant:Discriminant",
    "kernel": ".kernel:Kernel",
    "fda": ".fda:Fda",
    "gstransform": ".gstransform:GsTransform",
    "identity": ".centroids:Identity",
}
"""Each method with its class, a `Transform`: module, from `transforms` on, and name."""


def _known(value: str) -> str:
    if value not in METHODS:
        names = [f"'{name}'" for name in METHODS]
        raise ValueError(f"must be {', '.join(names[:-1])} or {names[-1]}")
    return value


Method = Annotated[str, AfterValidator(_known)]
"""The name of a method."""

READS_NAMES = ("auto",)  # the methods that learn from what the labels are called
