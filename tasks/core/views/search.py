"""Search a view, or the generic space, by text or by a stored text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tasks.core.encoding.encoder import Encoder
from tasks.core.encoding.features import LayerPca, load_layer_pca
from tasks.core.encoding.featurizer import Featurizer, space_of
from tasks.core.numerics.rows import unit_rows
from tasks.core.numerics.threads import one_thread
from tasks.core.query.transform import Map, load_map
from tasks.core.readers.records import encodable
from tasks.core.store import tables
from tasks.core.store.answers import NearRow
from tasks.core.store.searcher import Searcher
from tasks.core.text.discretion import shown
from tasks.core.views.lazy_search import LazySearcher, Point
from tasks.core.views.near_duplicates import Distinct
from tasks.core.views.transforming import reader_of
from tasks.core.workspace.errors import InputError, MissingError
from tasks.core.workspace.manifest import manifest_of
from tasks.core.workspace.manifests import BaseNote, ViewNote

_LOOK_ON = 4  # times as many rows are looked at where some say the same
FARTHEST = 10_000  # rows looked at, at most
_SOME = 3  # ids that are named where a beginning fits several
OTHER_ENCODER = (
    "search: this table was made by another encoder than params.yaml names now;"
    " set 'embed' back, or run 'refract embed --rebuild' and 'refract run'"
)


def check_query(text: str) -> None:
    """Refuse a text that there is nothing to look for in."""
    if not text.strip():
        raise InputError("search: the text is blank; expected some words to look for")
    check_utf8(text)


def check_utf8(text: str) -> None:
    """Refuse what the terminal could not decode."""
    if not encodable(text):
        raise InputError("search: found bytes that are no UTF-8; expected text")


@dataclass(frozen=True)
class Hit:
    """A text that was found.

    score: cosine, −1 to 1. label, confidence, novelty: what the view says of the text, None in the
    generic space. metadata: the columns that came with the documents.
    """

    score: float
    text: str | None
    id: str
    metadata: dict[str, object]
    label: str | None = None
    confidence: float | None = None
    novelty: float | None = None

    def to_json(self) -> dict[str, object]:
        """Return one JSON object: metadata as keys of their own, no reading where there is none."""
        found = {"score": self.score, "text": self.text, "id": self.id, **self.metadata}
        readings = {name: getattr(self, name) for name in tables.READINGS}
        return found | {name: value for name, value in readings.items() if value is not None}


@dataclass(frozen=True)
class Found:
    """What one question found, best first; made_by: see `Snapshot`."""

    hits: list[Hit]
    made_by: str | None


@dataclass(frozen=True)
class Snapshot:
    """One version of a space: rows and the transform that made them, in one piece.

    texts: the base table, which `rows` are in the generic space. made_by: the fingerprint of the
    transform, None there. stored: the view's own table, which holds no row of a lazy view: then
    `rows` makes them.
    """

    texts: Searcher
    stored: Searcher
    rows: Searcher
    transform: Map | None
    made_by: str | None = None

    @property
    def shown(self) -> list[str]:
        """The columns that a row is shown by: id, metadata, and what the view says of it."""
        hidden = {tables.VECTOR, tables.FEATURES, "row_hash", "text_hash", "text"}
        return [name for name in self.rows.names if name not in hidden]

    def texts_of(self, keys: Sequence[str]) -> list[dict[str, object]]:
        """Return the texts with the ids `keys`, in that order, as hits are in JSON, unscored.

        MissingError where there is none of an id.
        """
        rows, texts = self.rows.rows_of(keys, self.shown), self.texts.texts_of(keys)
        for key in keys:
            if key not in rows:
                raise MissingError(
                    f"id {shown(key)}: not in this view; expected an id of the corpus;"
                    " a search shows ids"
                )
        hits = [hit_of(NearRow(0.0, dict(rows[key])), texts.get(key)).to_json() for key in keys]
        return [{name: value for name, value in hit.items() if name != "score"} for hit in hits]

    def nearest(self, point: Point, k: int, where: str | None, names: list[str]) -> list[NearRow]:
        """Return the `k` rows closest to `point` for which `where` is true."""
        if isinstance(self.rows, LazySearcher):
            return self.rows.nearest_to(point, k, where, names)
        return self.rows.nearest(point.vector, k, where, names)

    def point_of(self, key: str) -> Point | None:
        """Return where the stored text with the id `key` lies, or None."""
        if isinstance(self.rows, LazySearcher):
            return self.rows.point_of(key)
        vector = self.rows.vector_of(key)
        return None if vector is None else Point(vector)


class Space:
    """A searchable space: the base vectors, or one instruction's view of them.

    Threads may share it. Each question is answered by one snapshot from its beginning to its end.
    """

    def __init__(
        self,
        base: Path,
        view: Path | None,
        kept: Callable[[str], Path] | None,
        encoder: Callable[[str], Encoder],
        encoder_fingerprint: str,
        reductions: Callable[[str], Path],
    ) -> None:
        """Open `base`, or `view` with its transforms found by fingerprint through `kept`.

        encoder: gives the encoder in the precision that the base vectors were encoded in.
        reductions: where the map of features with a fingerprint is.
        """
        self._kept = kept
        self._encoder = encoder
        self._encoder_fingerprint = encoder_fingerprint
        self._reductions = reductions
        self._reduction: LayerPca | None = None
        texts = Searcher(base, live=False)
        rows = texts if view is None else Searcher(view, live=True)
        self._snapshot = self._taken(texts, rows, None)

    def search(
        self, text: str, k: int = 10, where: str | None = None, *, distinct: bool = False
    ) -> list[Hit]:
        """Return the `k` texts closest to `text`: score (cosine, −1 to 1), id, text, metadata.

        distinct: of texts that say the same, the closest alone.
        """
        return self.closest(text, k, where, distinct=distinct).hits

    def closest(
        self, text: str, k: int = 10, where: str | None = None, *, distinct: bool = False
    ) -> Found:
        """Return what `search` does, and which transform answered."""

        def ask(now: Snapshot) -> list[Hit]:
            point = self.point(now, text)
            return best(now, lambda many: nearest(now, point, many, where), k, distinct=distinct)

        check_query(text)
        return self._answered(ask)

    def vector(self, now: Snapshot, text: str) -> np.ndarray:
        """Return where `text` lies in this space (d,), as one snapshot has it."""
        return self.point(now, text).vector

    def point(self, now: Snapshot, text: str) -> Point:
        """Return where `text` lies in this space and in the generic one, as one snapshot has it."""
        with one_thread():
            (vectors, *more), _ = self._coder(now).code([text], lambda _: None)
            if now.transform is None:
                return Point(vectors[0])
            seen = now.transform(vectors, more[0] if more else None, [text])
        return Point(seen[0], vectors[0])

    def _coder(self, now: Snapshot) -> Featurizer:
        note = _base_note(now.texts)
        encoder, features = self._encoder(note.settings.precision), note.features
        if features is None or now.transform is None:
            return Featurizer(encoder)
        reduction = self._reduction
        if reduction is None or reduction.fingerprint != features.fingerprint:
            reduction = load_layer_pca(self._reductions(features.fingerprint))
            self._reduction = reduction
        return Featurizer(encoder, reduction)

    def similar(
        self, key: str, k: int = 10, where: str | None = None, *, distinct: bool = False
    ) -> list[Hit]:
        """Return the `k` texts closest to the stored text `key`, itself left out.

        key: an id, or a beginning that one id alone has. distinct: of texts that say the same, the
        closest alone.
        """
        return self.neighbours(key, k, where, distinct=distinct).hits

    def neighbours(
        self, key: str, k: int = 10, where: str | None = None, *, distinct: bool = False
    ) -> Found:
        """Return what `similar` does, and which transform answered."""

        def ask(now: Snapshot) -> list[Hit]:
            whole, point = _found(now, key)

            def find(many: int) -> list[Hit]:
                return nearest(now, point, many, where)

            found = best(now, find, k + 1, distinct=distinct)
            return [hit for hit in found if hit.id != whole][:k]

        check_utf8(key)
        return self._answered(ask)

    def _answered(self, ask: Callable[[Snapshot], list[Hit]]) -> Found:
        """Ask the newest snapshot; where that fails and there is a newer one by now, ask it too."""
        now = self.now()
        try:
            return Found(ask(now), now.made_by)
        except InputError:
            newer = self.now()
            if newer is now:
                raise
            return Found(ask(newer), newer.made_by)

    def now(self) -> Snapshot:
        """Return the live version, and the transform that made it, as of now: it never changes."""
        seen = self._snapshot
        texts = seen.texts.newest()
        stored = texts if seen.stored is seen.texts else seen.stored.newest()
        if texts is seen.texts and stored is seen.stored:
            return seen
        self._snapshot = now = self._taken(texts, stored, seen)
        return now

    def _taken(self, texts: Searcher, stored: Searcher, seen: Snapshot | None) -> Snapshot:
        self._check_encoder(texts, stored)
        if self._kept is None:
            return Snapshot(texts, stored, stored, None)
        note, rows = _view_note(stored), stored
        kept = self._kept(note.transform)
        same = seen is not None and seen.made_by == note.transform
        transform = seen.transform if seen is not None and same else load_map(kept)
        if note.lazy:
            rows = LazySearcher(stored, texts, reader_of(kept, light=True), note)
        return Snapshot(texts, stored, rows, transform, note.transform)

    def _check_encoder(self, texts: Searcher, rows: Searcher) -> None:
        base, space = _base_note(texts), space_of(_base_note(texts))
        view_of = space if rows is texts else _view_note(rows).encoder
        if base.fingerprint != self._encoder_fingerprint or view_of not in (None, space):
            raise InputError(OTHER_ENCODER)


def _found(now: Snapshot, key: str) -> tuple[str, Point]:
    """Return the id that `key` is, or is the only one to begin with, and where it lies."""
    point = now.point_of(key)
    ids = [key] if point is not None or not key else now.rows.ids_from(key, _SOME + 1)
    if len(ids) > 1:
        listed = ", ".join(repr(each) for each in sorted(ids)[:_SOME])
        raise InputError(
            f"id {key!r}: begins {'more than ' * (len(ids) > _SOME)}{min(len(ids), _SOME)} ids"
            f" ({listed}); expected one; give more of it"
        )
    if ids and point is None:
        point = now.point_of(ids[0])
    if not ids or point is None:
        raise MissingError(
            f"id {key!r}: not in this view; expected an id of the corpus, or its beginning;"
            " 'refract search' shows ids"
        )
    return ids[0], point


def _base_note(texts: Searcher) -> BaseNote:
    return manifest_of(texts.note, BaseNote, "the base table") or BaseNote()


def _view_note(rows: Searcher) -> ViewNote:
    return manifest_of(rows.note, ViewNote, "the view's table") or ViewNote()


def best(now: Snapshot, find: Callable[[int], list[Hit]], k: int, *, distinct: bool) -> list[Hit]:
    """Return the `k` best of what `find` finds when asked for so many; best first.

    distinct: of texts that say the same, the first alone; then it looks on past those.
    """
    if not distinct:
        return find(k)
    many = _LOOK_ON * k
    while True:
        found = find(many)
        vectors, kept = now.texts.vectors_of([hit.id for hit in found]), Distinct()
        units = {key: unit_rows(each[None])[0] for key, each in vectors.items()}
        hits = [hit for hit in found if hit.id not in units or kept.takes(units[hit.id])]
        if len(hits) >= k or len(found) < many or many >= FARTHEST:
            return hits[:k]
        many *= _LOOK_ON


def nearest(now: Snapshot, point: Point, k: int, where: str | None) -> list[Hit]:
    """Return the `k` rows closest to `point`, best first."""
    own = now.rows is now.texts
    rows = now.nearest(point, k, where, [*now.shown, "text"] if own else now.shown)
    if own:
        return [hit_of(near, near.row.pop("text")) for near in rows]
    texts = now.texts.texts_of([str(near.row["id"]) for near in rows])
    return [hit_of(near, texts.get(str(near.row["id"]))) for near in rows]


def hit_of(near: NearRow, text: object) -> Hit:
    """Part what the view says of a row from what came with the document."""
    row = near.row
    readings: Mapping[str, Any] = {each: row.pop(each) for each in tables.READINGS if each in row}
    return Hit(near.score, None if text is None else str(text), str(row.pop("id")), row, **readings)
