"""Where every row of a table lies: made once a version, and laid upon the map before it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.core.atlas import kept
from tasks.core.atlas.drawing import POINTS, drawn
from tasks.core.atlas.kept import ViewMap
from tasks.core.atlas.laying_out import Guide, has_shape, laid_out, steps_of
from tasks.core.atlas.neighbours import Sample
from tasks.core.atlas.order import POINTS as MOST
from tasks.core.atlas.placing import Among, within_circle
from tasks.core.atlas.plane import Plane
from tasks.core.atlas.rows import Rows, rows_of, vectors_at, vectors_in_turn
from tasks.core.numerics.threads import one_thread
from tasks.core.store import layout, tables
from tasks.core.views.transforming import Vectors
from tasks.core.workspace.files import digest
from tasks.core.workspace.state_manifests import MapNote

_STAY = 0.9  # of a sample that have to be there still, for it to be used again
_GROWN = 2  # times the rows that a sample was drawn of, up to which it is used again
_KNOWN = 0.05  # of a sample that lie on another map, from which on it is laid upon that
_FEWEST = 3  # of them: two do not tell a map from its mirror image
_A_STEP = 260  # rows that are placed while t-SNE takes a step

Advance = Callable[[float], None]
"""Told how much is done, from 0 to 1."""


@dataclass(frozen=True)
class Source:
    """A version of a table with vectors, and the fingerprint of what made them.

    made_by: of a lazy view, whose table is the base's, the folder of its transform; storage: the
    type that its vectors would be stored in.
    """

    table: Path
    version: int
    transform: str
    made_by: Path | None = None
    storage: str = ""

    @cached_property
    def vectors(self) -> Vectors:
        """What gives the vectors of rows of the table."""
        return Vectors(self.made_by, self.storage)

    @property
    def state(self) -> str:
        """What names this version and no other."""
        known = layout.state(self.table, self.version)
        return known if self.made_by is None else digest(known, self.transform, self.storage)


def coordinates(
    source: Source,
    folder: Path | None,
    *,
    towards: ViewMap | None = None,
    first: Collection[str] = (),
    most: int | None = MOST,
    points: int = POINTS,
    advance: Advance = lambda _: None,
) -> ViewMap:
    """Return where the rows of a table lie: as `folder` has it, or made now and kept there.

    At most `points` rows are laid out by t-SNE; all others, up to `most` in all, lie among those of
    them that are nearest. After another fit the same sample moves on from where it lay before, and
    after a change of the corpus only rows that are new or changed are placed.

    towards: the map of another table of this corpus, such as the base vectors, upon which a first
    map is laid. first: ids to be laid out rather than others. folder: None keeps nothing.
    """
    known = None if folder is None else kept.read(folder, source.state)
    if known is not None:
        return known
    rows = rows_of(source.table, source.version, most)
    before = None if folder is None else kept.latest(folder)
    with one_thread():  # sums in another order end in another map
        made = _Making(source, rows, before, points, advance).made(towards, first)
    if folder is not None:
        kept.write(folder, source.state, made)
    return made


def standing(there: ViewMap | None, rows: Rows) -> NDArray[np.int64]:
    """Return where each of `rows` (n,) stands in a map, by its id; -1 where it is not there."""
    if there is None or not len(there):
        return np.full(len(rows), -1)
    if there.note.corpus == rows.corpus:
        return np.arange(len(rows))
    order = np.argsort(there.rows.keys)
    keys = there.rows.keys[order]
    at = np.searchsorted(keys, rows.keys).clip(max=len(keys) - 1)
    return np.where(keys[at] == rows.keys, order[at], -1)


class _Making:
    """A map of some rows in the making, with the one that was there before, if any."""

    def __init__(
        self, source: Source, rows: Rows, before: ViewMap | None, points: int, advance: Advance
    ) -> None:
        self._source, self._rows, self._points, self._advance = source, rows, points, advance
        self._before = before if before is not None and len(before) else None
        self._was = standing(self._before, rows)
        self._done, self._all = 0.0, 1.0  # in steps of t-SNE

    def made(self, towards: ViewMap | None, first: Collection[str]) -> ViewMap:
        """Return the map: the one before with other rows, or its sample moved on, or a first."""
        laid = np.zeros(len(self._rows), bool)
        if self._before is not None:
            before, there = self._before, self._was >= 0
            laid = there & before.drawn[self._was]
            same = there & (before.rows.hashes[self._was] == self._rows.hashes)
            alike = before.note.transform == self._source.transform
            if alike and self._serves(laid & same):
                return self._changed(before, laid & same, same)
            if self._serves(laid):
                return self._fitted(laid, before.note.drawn_of, towards)
        laid[:] = False
        laid[drawn(self._rows.keys, self._labels(), first, self._points)] = True
        return self._fitted(laid, len(self._rows), towards)

    def _serves(self, laid: NDArray[np.bool_]) -> bool:
        """Tell whether the earlier sample, as far as it is there, stands for the rows of today."""
        if self._before is None:
            return False
        drawn_of = self._before.note.drawn_of
        enough = laid.sum() >= _STAY * min(drawn_of, self._points)
        return bool(enough) and len(laid) <= _GROWN * drawn_of

    def _changed(
        self, before: ViewMap, laid: NDArray[np.bool_], same: NDArray[np.bool_]
    ) -> ViewMap:
        """Leave all rows that are the same where they are, and place the others among them."""
        places = np.zeros((len(same), 2), np.float32)
        places[same] = before.places[self._was[same]]
        others = np.flatnonzero(~same)
        if len(others):
            self._all = len(others) / _A_STEP
            chosen = np.flatnonzero(laid)
            self._place(places, Sample(self._vectors(chosen)), chosen, others)
        return self._map(places, laid, before.note.scale, before.note.drawn_of)

    def _fitted(self, laid: NDArray[np.bool_], drawn_of: int, towards: ViewMap | None) -> ViewMap:
        """Lay the sample out, and place all others among it."""
        places = np.zeros((len(laid), 2), np.float32)
        chosen, others = np.flatnonzero(laid), np.flatnonzero(~laid)
        guide = self._guide(chosen, towards)
        self._all = steps_of(guide) + len(others) / _A_STEP
        scale = 1.0
        if len(chosen):
            sample = Sample(self._vectors(chosen))
            keys = self._rows.keys[chosen]
            places[chosen], scale = laid_out(sample, keys, guide, self._step)
            self._place(places, sample, chosen, others)
        return self._map(places, laid, scale, drawn_of)

    def _guide(self, chosen: NDArray[np.int64], towards: ViewMap | None) -> Guide | None:
        for there, own in ((self._before, True), (towards, False)):
            if there is None:
                continue
            at = standing(there, self._rows)[chosen]
            known = np.flatnonzero(at >= 0)
            if len(known) >= max(_FEWEST, _KNOWN * len(chosen)):
                settles = own and 2 * len(known) > len(chosen)
                return Guide(known, there.places[at[known]], there.note.scale if settles else 0.0)
        return None

    def _place(
        self,
        places: Plane,
        sample: Sample,
        chosen: NDArray[np.int64],
        others: NDArray[np.int64],
    ) -> None:
        """Fill in the places of `others` by those of the sample, whose rows are `chosen`."""
        keys = self._rows.keys
        if not has_shape(sample):
            places[others] = within_circle(keys[others])
            return
        among = Among(sample, places[chosen])
        rows, table = self._rows, self._source
        for which, vectors in vectors_in_turn(
            table.table, table.version, rows.row[others], rows.total, table.vectors
        ):
            at = others[which]
            places[at] = among.places(vectors, keys[at])
            self._step(len(at) / _A_STEP)

    def _vectors(self, chosen: NDArray[np.int64]) -> NDArray[np.float32]:
        of = self._source
        return vectors_at(of.table, of.version, self._rows.row[chosen], of.vectors)

    def _labels(self) -> NDArray[np.uint64] | None:
        table, version = self._source.table, self._source.version
        if "label" not in tables.columns(table, version):
            return None
        return tables.hashes(table, "label", version)[self._rows.row]

    def _step(self, steps: float = 1.0) -> None:
        self._done += steps
        self._advance(min(1.0, self._done / self._all))

    def _map(self, places: Plane, laid: NDArray[np.bool_], scale: float, drawn_of: int) -> ViewMap:
        rows = self._rows
        note = MapNote(
            transform=self._source.transform,
            corpus=rows.corpus,
            total=rows.total,
            scale=scale,
            drawn_of=drawn_of,
        )
        return ViewMap(rows, places, laid, note)
