"""Rows scaled to length 1 or to whole numbers, and which of them are nearest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 256  # anchors at once: 10 MB of cosines with 10,000 rows


def unit_rows(x: NDArray[Any]) -> NDArray[np.float32]:
    """Scale rows to unit length, (n, d) float32; a zero row stays zero.

    Raises ValueError where a value is not finite.
    """
    wide = np.asarray(x, np.float32)
    norms = np.sqrt(np.einsum("ij,ij->i", wide, wide))
    if not np.isfinite(norms).all():
        raise ValueError(f"base vectors: {int((~np.isfinite(norms)).sum())} rows are not finite")
    rows: NDArray[np.float32] = wide / np.maximum(norms, np.float32(1e-12))[:, None]
    return rows


def whole_rows(x: NDArray[Any]) -> NDArray[np.int8]:
    """Keep the direction of each row in 8 bits a number, (n, d): q = round(127 x / max |x|).

    The sine of the angle between x and q is √d/254 at most, 0.08 at d = 384; of features it was
    measured to be half of that at most. Of q itself nothing is lost; a zero row stays zero. Raises
    ValueError where a value is not finite.
    """
    wide = np.asarray(x, np.float32)
    most = np.abs(wide).max(axis=1, initial=0, keepdims=True)
    if not np.isfinite(most).all():
        raise ValueError(f"{int((~np.isfinite(most)).sum())} rows are not finite; expected numbers")
    q: NDArray[np.int8] = np.rint(wide / np.where(most > 0, most, 1) * 127).astype(np.int8)
    return q


def nearest(
    x: NDArray[np.float32], anchors: NDArray[np.integer[Any]], k: int
) -> Iterator[NDArray[np.int64]]:
    """Yield the `k` rows of x closest by cosine to each anchor, itself left out, in any order.

    x: (n, d) unit rows, n > k; anchors: (a,) rows of x. Blocks (≤ BLOCK, k) follow the anchors'
    order, since the cosines of all at once are too many to hold.
    """
    for start in range(0, len(anchors), BLOCK):
        part = anchors[start : start + BLOCK]
        far = -(x[part] @ x.T)
        far[np.arange(len(part)), part] = np.inf
        yield np.argpartition(far, k - 1, axis=1)[:, :k]
