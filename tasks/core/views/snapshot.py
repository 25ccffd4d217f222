"""One version of a space, what lies nearest in it, and what is told of that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tasks.core.numerics.rows import unit_rows
from tasks.core.query.passages import Passage
from tasks.core.query.transform import Map
from tasks.core.store import tables
from tasks.core.store.answers import NearRow
from tasks.core.store.searcher import Searcher
from tasks.core.text.discretion import shown
from tasks.core.views.lazy_search import LazySearcher, Point
from tasks.core.views.near_duplicates import Distinct
from tasks.core.workspace.errors import InputError, MissingError

_LOOK_ON = 4  # times as many rows are looked at where some say the same
_SOME = 3  # ids that are named where a beginning fits several
FARTHEST = 10_000  # rows looked at, at most


@dataclass(frozen=True)
class Hit:
    """A text that was found.

    score: cosine, −1 to 1. label, confidence, novelty: what the view says of the text, None in the
    generic space. metadata: the columns that came with the documents. passage: the part of the
    text that is closest to what was asked for, where passages were.
    """

    score: float
    text: str | None
    id: str
    metadata: dict[str, object]
    label: str | None = None
    confidence: float | None = None
    novelty: float | None = None
    passage: Passage | None = None

    def to_json(self) -> dict[str, object]:
        """Return one JSON object: metadata as keys of their own, no reading where there is none.

        A passage takes the place of a document's column of that name.
        """
        found = {"score": self.score, "text": self.text, "id": self.id, **self.metadata}
        readings = {name: getattr(self, name) for name in tables.READINGS}
        found |= {name: value for name, value in readings.items() if value is not None}
        return found if self.passage is None else found | {"passage": asdict(self.passage)}


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


def stored_text(now: Snapshot, key: str) -> tuple[str, Point]:
    """Return the id that `key` is, or is the only one to begin with, and where it lies."""
    point = now.point_of(key)
    ids = [key] if point is not None or not key else now.rows.ids_from(key, _SOME + 1)
    if len(ids) > 1:
        listed = ", ".join(repr(each) for each in sorted(ids)[:_SOME])
        raise InputError(
            f"id {shown(key)}: begins {'more than ' * (len(ids) > _SOME)}{min(len(ids), _SOME)} ids"
            f" ({listed}); expected one; give more of it"
        )
    if ids and point is None:
        point = now.point_of(ids[0])
    if not ids or point is None:
        raise absent(key)
    return ids[0], point


def absent(key: str) -> MissingError:
    """Return the refusal of an id that is in no row of a view."""
    return MissingError(
        f"id {shown(key)}: not in this view; expected an id of the corpus, or its beginning;"
        " 'refract search' shows ids"
    )
