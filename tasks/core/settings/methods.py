"""The methods that `fit.method` may name; a new one is a file in `transforms` and a line here."""

from __future__ import annotations

METHODS = {
    "auto": ".default_auto:Auto",
    "discriminant": ".discriminant:Discriminant",
    "kernel": ".kernel:Kernel",
    "fda": ".fda:Fda",
    "gstransform": ".gstransform:GsTransform",
    "identity": ".centroids:Identity",
}
"""Each method with its class, a `Transform`: module, from `transforms` on, and name."""

READS_NAMES = ("auto",)  # the methods that learn from what the labels are called
