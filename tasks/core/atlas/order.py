"""The order in which a view's points are told: by id, the same for all views of a corpus."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from tasks.core.store import arrow
from tasks.core.store.searcher import Searcher
from tasks.core.workspace.files import content_hash

POINTS = 1_000_000  # rows that are told; of more a sample, those whose ids have the least hashes


@dataclass(frozen=True)
class Order:
    """Where each of n ids stands among all: 12 bytes an id are held, and no id itself.

    corpus: a fingerprint; where it is the same, the same ids come in the same order. total: rows of
    the table, of which n ≤ `POINTS` are told.
    """

    corpus: str
    total: int
    _hashes: NDArray[np.uint64]  # ascending
    _places: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self._hashes)

    def places(self, ids: pa.Array) -> tuple[NDArray[np.bool_], NDArray[np.uint32]]:
        """Return which of `ids` (m,) are told, and where these stand, in the order of `ids`."""
        hashes = arrow.hash64(ids)
        if not len(self):
            return np.zeros(len(hashes), bool), np.empty(0, np.uint32)
        at = np.searchsorted(self._hashes, hashes).clip(max=len(self) - 1)
        told = self._hashes[at] == hashes
        return told, self._places[at[told]]


def order_of(rows: Searcher, most: int = POINTS) -> Order:
    """Return the order of the points of one version of a table."""
    found = pl.concat([pl.Series("id", [], pl.String), *_ids(rows)])
    total, hashes = len(found), arrow.hash64(found)
    if total > most:
        last = np.partition(hashes, most - 1)[most - 1]
        found = found.filter(pl.Series(hashes <= last))
    hashes = arrow.hash64(found.sort())
    by_hash = np.argsort(hashes)
    places = by_hash.astype(np.uint32)
    return Order(content_hash(hashes.tobytes()), total, hashes[by_hash], places)


def ids_state(rows: Searcher) -> tuple[int, int, int]:
    """Return what two versions share that have the same ids, whatever their order in the table."""
    many, total, parity = 0, 0, 0
    for ids in _ids(rows):
        hashes = arrow.hash64(ids)
        many += len(hashes)
        total = (total + int(hashes.sum(dtype=np.uint64))) % 2**64
        parity ^= int(np.bitwise_xor.reduce(hashes))
    return many, total, parity


def matching(
    rows: Searcher, order: Order, where: str | None, label: str | None
) -> NDArray[np.uint32]:
    """Return the places of the rows that match, ascending."""
    found = [order.places(batch.column(0))[1] for batch in rows.scan(["id"], where, label)]
    return np.sort(np.concatenate([np.empty(0, np.uint32), *found]))


def column(rows: Searcher, order: Order, name: str) -> pa.Array:
    """Return the values of one column in the order of the points; text as a dictionary."""
    parts, places = [], []
    for batch in rows.scan(["id", name]):
        told, at = order.places(batch.column(0))
        parts.append(batch.column(1).filter(pa.array(told)))
        places.append(at)
    if not parts:
        return pa.nulls(0)
    back = np.empty(len(order), np.int64)
    back[np.concatenate(places)] = np.arange(len(order))
    values = pa.chunked_array(parts).take(pa.array(back)).combine_chunks()
    return values.dictionary_encode() if pa.types.is_string(values.type) else values


def _ids(rows: Searcher) -> Iterator[pl.Series]:
    for batch in rows.scan(["id"]):
        yield pl.Series("id", batch.column(0), pl.String)
