"""Rows that were not laid out themselves lie among those of the sample that are nearest to them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.atlas.neighbours import BLOCK, Sample
from tasks.core.atlas.plane import Plane

NEAR = 3  # rows of the sample that say where another one lies; of 5, fewer neighbours stay so
SPREAD = 0.3  # of the distance between rows of the sample: how far from there a row is strewn
_BESIDE = 4  # rows of the sample beside one that say how far they lie from each other
_FAR = 3.0  # of that distance: farther ones lie in another group
_SAME = 1e-6  # squared distance below which two texts are one: float16 resolves no less


class Among:
    """The laid out rows of a sample, and where others lie among them."""

    def __init__(self, sample: Sample, places: Plane) -> None:
        from scipy.spatial import KDTree

        self._sample, self._places = sample, places
        beside, _ = KDTree(places).query(places, k=min(_BESIDE + 1, len(places)))
        self._room = np.reshape(beside, (len(places), -1))[:, -1].astype(np.float32)

    def places(self, vectors: NDArray[Any], keys: NDArray[np.uint64]) -> Plane:
        """Return a place (n, 2) in [-1, 1] for each vector (n, d).

        Weights are 1 / distance². Of the nearest rows those count that lie beside the very nearest
        on the map: between two groups there is nothing. keys: (n,), the hashes of the ids, by which
        rows that would lie upon each other are strewn, each always in the same way.
        """
        return self.places_of(self._sample.along(vectors), keys)

    def places_of(self, z: NDArray[np.float32], keys: NDArray[np.uint64]) -> Plane:
        """Return the same for rows z (n, a) along the axes of the sample."""
        blocks = range(0, len(z), BLOCK)
        found = [self._among(z[at : at + BLOCK], keys[at : at + BLOCK]) for at in blocks]
        return np.concatenate(found) if found else np.empty((0, 2), np.float32)

    def _among(self, z: NDArray[np.float32], keys: NDArray[np.uint64]) -> Plane:
        near, apart = self._sample.nearest(z, min(NEAR, len(self._sample)))
        first = np.take_along_axis(near, apart.argmin(1)[:, None], 1)
        places, room = self._places[near], self._room[first]
        off = np.linalg.norm(places - self._places[first], axis=2)
        weights = (off <= _FAR * room) / np.maximum(apart, _SAME)
        weights /= weights.sum(1, keepdims=True)
        middle = np.einsum("nk,nkd->nd", weights, places)
        strewn = middle + SPREAD * room * within_circle(keys)
        return np.asarray(strewn.clip(-1, 1), np.float32)


def within_circle(keys: NDArray[np.uint64]) -> Plane:
    """Return a place (n, 2) within the circle of radius 1 for each hash, evenly strewn."""
    angle = (keys >> np.uint64(32)).astype(np.float64) * (2 * np.pi / 2**32)
    radius = np.sqrt((keys & np.uint64(2**32 - 1)).astype(np.float64) / 2**32)
    around = np.stack((np.cos(angle), np.sin(angle)), axis=1)
    return np.asarray(radius[:, None] * around, np.float32)
