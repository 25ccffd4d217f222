"""Which texts are labelled: at random, spread over the space, or evenly from its regions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from tasks.core.numerics.kmeans import kmeans
from tasks.core.numerics.rows import unit_rows
from tasks.core.store import arrow, tables

POOL = 50_000  # texts that the vectors are looked at of: 77 MB, and a minute for 3,000 centres


@dataclass(frozen=True)
class Chosen:
    """Texts to be labelled, by id, in an order that does not depend on that of the table."""

    ids: list[str]
    texts: list[str]
    vectors: np.ndarray  # (n, d) float32, unit rows


def draw(table: Path, how: str, size: int, regions: int, seed: int) -> list[str]:
    """Return the ids of at most `size` distinct texts of the base table.

    random: those with the smallest hash of seed and id, so that a corpus that grows keeps most
    of its sample. coreset: k-centre greedy (Gonzalez, 1985) on the base vectors. stratified: as
    many from each of `regions` k-means cells, as far as a cell reaches. The last two look at no
    more than POOL texts, drawn as by random.
    """
    ids = _by_hash(_distinct(table), seed)
    if how == "random" or len(ids) <= size:
        return ids[:size]
    pool = lookup(table, ids[:POOL])
    rows = k_centres(pool.vectors, size) if how == "coreset" else _even(pool, size, regions, seed)
    return [pool.ids[row] for row in rows]


def lookup(table: Path, ids: Sequence[str]) -> Chosen:
    """Return texts and vectors of `ids` in their order; ids that the table lacks are left out."""
    names = ["id", "text", tables.VECTOR]
    found = tables.where_in(table, "id", list(ids), names)
    place = {key: row for row, key in enumerate(found.column("id").to_pylist())}
    there = [key for key in ids if key in place]
    found = found.take(pa.array([place[key] for key in there], pa.int64()))
    vectors = unit_rows(arrow.vectors_of(found.column(tables.VECTOR)))
    return Chosen(there, found.column("text").to_pylist(), vectors)


def _distinct(table: Path) -> list[str]:
    """Return one id of each different text."""
    first: dict[str, str] = {}
    for batch in tables.batches(table, ["id", "text_hash"]):
        for key, text in zip(*(batch.column(at).to_pylist() for at in range(2)), strict=True):
            first[text] = min(key, first.get(text, key))
    return list(first.values())


def _by_hash(ids: list[str], seed: int) -> list[str]:
    start = hashlib.blake2b(f"{seed}\0".encode(), digest_size=8)

    def hashed(key: str) -> bytes:
        """Return 64 bits of seed and id, drawn alike on every machine."""
        own = start.copy()
        own.update(key.encode("utf-8", "surrogatepass"))
        return own.digest()

    return sorted(ids, key=hashed)


def k_centres(x: np.ndarray, size: int) -> list[int]:
    """Return `size` rows of x (n, d), each the one farthest from those before it.

    Greedy k-centre: no row is farther from the nearest chosen one than twice the best possible
    radius. The first is the row closest to the mean.
    """
    chosen = [int(np.argmax(x @ x.mean(0)))]
    nearest = x @ x[chosen[0]]
    while len(chosen) < min(size, len(x)):
        nearest[chosen[-1]] = np.inf  # never again, not even where all that is left are copies
        chosen.append(int(np.argmin(nearest)))
        np.maximum(nearest, x @ x[chosen[-1]], out=nearest)
    return chosen


def _even(pool: Chosen, size: int, regions: int, seed: int) -> list[int]:
    cells = kmeans(pool.vectors, min(regions, len(pool.ids)), seed, rough=True)
    rank = np.empty(len(cells), np.int64)
    for cell in np.unique(cells):
        members = np.flatnonzero(cells == cell)
        rank[members] = np.arange(len(members))  # the pool is in the order of the hash
    order = np.lexsort((np.arange(len(cells)), rank))  # the first of every cell, then the second …
    return [int(row) for row in order[:size]]
