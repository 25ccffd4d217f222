"""Texts that say the same, told by their base vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ALIKE = 0.95  # cosine of base vectors from which two texts say the same; our own choice


class Distinct:
    """Unit base vectors (d,) of texts of which no two say the same."""

    def __init__(self) -> None:
        self._kept: list[NDArray[np.float32]] = []

    def takes(self, vector: NDArray[np.float32]) -> bool:
        """Keep `vector` unless one like it is kept already; tell whether it was kept."""
        if self._kept and float(np.max(np.stack(self._kept) @ vector)) >= ALIKE:
            return False
        self._kept.append(vector)
        return True
