"""How t-SNE's points push each other apart: all pairs at once, by Fourier transforms of a grid."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.atlas.plane import Plane

STEP = 0.7  # between lines of the grid; with 0.5, half as fast and not a neighbour in 100 more
LINES = 1_024  # a side at most; farther points make the grid coarser
_ROUND = 16  # lines by which a grid grows: few kernels to transform
_NEAR = np.arange(-1, 2)  # lines beside a point, in each direction, that share its charge


class Repulsion:
    """The force on each point y_i: Σ_j w_ij² (y_i - y_j) / Z, w = 1 / (1 + d²), Z = Σ w.

    Points lend their charge to the nine lines around them, as quadratic interpolation has it; on
    the grid the sums are convolutions (Linderman et al., 2019, FIt-SNE).
    """

    def __init__(self) -> None:
        self._kernels: dict[tuple[int, float], tuple[int, NDArray[Any]]] = {}

    def __call__(self, y: Plane) -> Plane:
        """Return the forces (n, 2) on points y (n, 2)."""
        from scipy import fft

        low = y.min(0)
        extent = float((y.max(0) - low).max())
        step = max(STEP, extent / (LINES - _ROUND))
        size = -(-(int(extent / step) + 4) // _ROUND) * _ROUND
        shares = _shares((y - low) / np.float32(step) + 1, size)
        charges = np.column_stack((np.ones(len(y), np.float32), y))
        side, kernel = self._kernel(size, step)
        waves = fft.rfft2((shares.T @ charges).T.reshape(3, size, size), s=(side, side))
        product = np.concatenate((waves[:1] * kernel[0], waves * kernel[1]))
        spread = fft.irfft2(product, s=(side, side), overwrite_x=True)[:, :size, :size]
        felt = shares @ np.ascontiguousarray(spread.reshape(4, -1).T)
        z = felt[:, 0].sum(dtype=np.float64) - len(y)
        return np.asarray((y * felt[:, 1:2] - felt[:, 2:]) / np.float32(max(z, 1e-12)))

    def _kernel(self, size: int, step: float) -> tuple[int, NDArray[Any]]:
        """Return the transforms of w and w² between the lines of a grid, and its padded side."""
        from scipy import fft

        if (size, step) not in self._kernels:
            side = fft.next_fast_len(2 * size, real=True)
            apart = np.arange(side)
            apart = np.minimum(apart, side - apart) * step
            w = 1 / (1 + apart[:, None] ** 2 + apart**2)
            if step > STEP:
                self._kernels.clear()  # seldom the same again
            self._kernels[size, step] = side, fft.rfft2(np.stack((w, w * w)).astype(np.float32))
        return self._kernels[size, step]


def _shares(at: NDArray[np.float32], size: int) -> Any:
    """Return which share of each point the lines have: sparse (n, size²); at: in lines."""
    from scipy import sparse

    middle = np.rint(at)
    u = at - middle
    each = np.stack((u * (u - 1) / 2, 1 - u * u, u * (u + 1) / 2), axis=2)
    data = each[:, 0, :, None] * each[:, 1, None, :]
    lines = middle.astype(np.int32)[:, :, None] + _NEAR.astype(np.int32)
    columns = lines[:, 0, :, None] * size + lines[:, 1, None, :]
    starts = np.arange(0, data.size + 1, data[0].size, dtype=np.int32)
    return sparse.csr_array((data.ravel(), columns.ravel(), starts), shape=(len(at), size * size))
