"""Which texts are learnt from, and which are held out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.integer[Any]]


def stratified_split(
    y: Ints, held_out: float, seed: int, keys: Sequence[str] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split row numbers into (train, held out); a class never loses its last text to the latter.

    With keys (ids of the texts) the side follows from hash(seed, key) < held_out alone, so a
    text stays where it is when others are added, the order of rows does not matter, and the rows
    of one text stay together. Only a class that would lose all its texts keeps the one of the
    greatest hash.
    """
    random = np.random.default_rng(seed)
    fate = random.random(len(y)) if keys is None else fates(keys, seed)
    held = fate < held_out
    for c in np.unique(y):
        rows = np.flatnonzero(y == c)
        if held[rows].all():
            held[fate == fate[rows].max()] = False  # a text's hash is that of all its rows
    return np.flatnonzero(~held), np.flatnonzero(held)


def fates(keys: Sequence[str], seed: int) -> NDArray[np.float64]:
    """Return a number in [0, 1) for each key, that of the key alone, as if drawn at random."""
    return np.array([_hash(seed, key) for key in keys])


def _hash(seed: int, key: str) -> float:
    payload = f"{seed}\0{key}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(payload, digest_size=8).digest()) / 2**64
