"""The nearest of a sample of rows, for many rows at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.numerics.rows import unit_rows

AXES = 64  # principal axes that distances are taken along; 50 is usual before t-SNE
BLOCK = 512  # rows at once: 10 MB of products with 5,000 others
_GROUP = 32  # columns of which the greatest is sought first

Near = tuple[NDArray[np.int64], NDArray[np.float32]]
"""Which k rows of a sample are nearest (n, k), in any order, and their squared distances."""


class Sample:
    """The m rows that others are compared with: as unit vectors, along their principal axes.

    seen: (m, a), float32, where they lie along these axes.
    """

    def __init__(self, vectors: NDArray[Any]) -> None:
        x = unit_rows(vectors)
        self._mean = x.mean(0)
        about = x - self._mean
        _, axes = np.linalg.eigh((about.T @ about).astype(np.float64))
        self._axes = np.ascontiguousarray(axes[:, ::-1][:, :AXES], np.float32)
        self._set(about @ self._axes)

    def _set(self, seen: NDArray[np.float32]) -> None:
        self.seen = seen
        half = (seen**2).sum(1, keepdims=True) / 2
        spare = np.zeros((-len(seen) % _GROUP, seen.shape[1] + 1), np.float32)
        spare[:, -1] = np.inf  # farther than any other
        self._others = np.concatenate((np.column_stack((seen, half)), spare)).T.copy()

    def __len__(self) -> int:
        return len(self.seen)

    def part(self, rows: NDArray[np.int64]) -> Sample:
        """Return some rows of the sample, along the same axes."""
        part = object.__new__(Sample)
        part._mean, part._axes = self._mean, self._axes
        part._set(self.seen[rows])
        return part

    def along(self, vectors: NDArray[Any]) -> NDArray[np.float32]:
        """Return where vectors (n, d) lie along the axes, (n, a)."""
        found: NDArray[np.float32] = (unit_rows(vectors) - self._mean) @ self._axes
        return found

    def nearest(self, z: NDArray[np.float32], k: int) -> Near:
        """Return the k rows nearest to each of z (n, a), which is along the axes; k ≤ m."""
        # z·s - |s|²/2 orders as -|z - s|² does. The k greatest are in the k groups whose greatest
        # are greatest: one pass over all columns, and a search among few.
        near = np.column_stack((z, np.full(len(z), -1, np.float32))) @ self._others
        groups = near.reshape(len(z), -1, _GROUP)
        most = min(k, groups.shape[1])
        best = np.argpartition(-groups.max(2), most - 1, axis=1)[:, :most]
        columns = (best[:, :, None] * _GROUP + np.arange(_GROUP)).reshape(len(z), -1)
        among = np.take_along_axis(near, columns, 1)
        order = np.argpartition(-among, k - 1, axis=1)[:, :k]
        height = np.take_along_axis(among, order, 1)
        apart = np.maximum((z**2).sum(1, keepdims=True) - 2 * height, 0)
        return np.take_along_axis(columns, order, 1), apart

    def among_themselves(self, k: int) -> Near:
        """Return the k nearest others of each row of the sample; k < m."""
        blocks = range(0, len(self), BLOCK)
        parts = [self.nearest(self.seen[at : at + BLOCK], k + 1) for at in blocks]
        near, apart = (np.concatenate(part) for part in zip(*parts, strict=True))
        itself = near == np.arange(len(near))[:, None]
        absent = np.flatnonzero(~itself.any(1))  # more copies of it than k
        itself[absent, apart[absent].argmax(1)] = True
        return near[~itself].reshape(-1, k), apart[~itself].reshape(-1, k)
