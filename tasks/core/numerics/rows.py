"""Rows of unit length, as everything here compares vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


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
