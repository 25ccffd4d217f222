"""Several views as one: the texts that are closest by all of them at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tasks.core.numerics.rows import unit_rows
from tasks.core.store.answers import NearRow
from tasks.core.text.discretion import shown
from tasks.core.views.lazy_search import Point
from tasks.core.views.search import (
    Space,
    check_query,
    check_utf8,
    with_passages,
)
from tasks.core.views.snapshot import (
    FARTHEST,
    Found,
    Hit,
    Snapshot,
    absent,
    best,
    hit_of,
    stored_text,
)
from tasks.core.workspace.errors import InputError

_FIRST = 50  # candidates a view, at least
_MORE = 4  # times as many where these do not suffice
MOST = 16  # views that one question is put to
_HEAVIEST = 1_000.0


@dataclass(frozen=True)
class _Seen:
    """A view as it is now, what is asked for in it, and its share of the score."""

    now: Snapshot
    point: Point
    share: float

    def cosines(self, keys: Sequence[str]) -> dict[str, float]:
        """Return the cosine of each text with what is asked for; of those that the view has."""
        vectors = self.now.rows.vectors_of(keys)
        return {
            key: float(unit_rows(each[None])[0] @ self.point.vector)
            for key, each in vectors.items()
        }


def weight_of(name: str, said: str | float) -> float:
    """Return the weight of view `name` as a number; InputError where it cannot be one."""
    try:
        weight = float(said)
    except ValueError:
        weight = math.nan
    if not 0 < weight <= _HEAVIEST:
        raise InputError(
            f"view {shown(name)}: found the weight {shown(said)}; expected a number above 0,"
            f" at most {_HEAVIEST:,.0f}, such as 0.5"
        )
    return weight


def check_weights(weights: Mapping[str, str | float]) -> dict[str, float]:
    """Return the weight of each view; InputError where no ranking can be made by them."""
    if not 0 < len(weights) <= MOST:
        raise InputError(f"view: found {len(weights)} views; expected 1 to {MOST} at once")
    return {name: weight_of(name, said) for name, said in weights.items()}


def closest_by_all(
    spaces: Sequence[tuple[Space, float]],
    text: str,
    k: int,
    where: str | None = None,
    *,
    distinct: bool = False,
    passages: bool = False,
) -> Found:
    """Return the `k` texts with the greatest mean of cosines over `spaces`, by their weights.

    Each view gives candidates by its own index, as many more as it takes until no text beyond them
    can be among the best (Fagin et al., "Optimal Aggregation Algorithms for Middleware", 2003, the
    threshold algorithm); 10,000 a view at most. What a hit says, and what `where` reads, is what
    the first view has.
    """
    if len(spaces) == 1:
        return spaces[0][0].closest(text, k, where, distinct=distinct, passages=passages)
    check_query(text)
    asked = [
        (space, now := space.now(), space.point(now, text), weight) for space, weight in spaces
    ]
    found = _found(asked, k, where, distinct=distinct)
    return replace(found, hits=with_passages(found.hits, asked)) if passages else found


def similar_by_all(
    spaces: Sequence[tuple[Space, float]],
    key: str,
    k: int,
    where: str | None = None,
    *,
    distinct: bool = False,
    towards: Sequence[tuple[Space, str]] = (),
    passages: bool = False,
) -> Found:
    """Return the `k` texts closest to the stored text `key` over `spaces`, itself left out.

    As `closest_by_all` does. towards: further views, with the label that the texts are to have
    there: each counts with weight 1, by its cosine with the place of that label. Where such a view
    is lazy, its candidates are the rows nearest to the text `key` in the base vectors.
    """
    if len(spaces) == 1 and not towards:
        return spaces[0][0].neighbours(key, k, where, distinct=distinct, passages=passages)
    check_utf8(key)
    (first, weight), *others = spaces
    now = first.now()
    whole, point = stored_text(now, key)
    asked = [(first, now, point, weight)]
    for space, weight in others:
        now = space.now()
        there = now.point_of(whole)
        if there is None:
            raise absent(whole)
        asked.append((space, now, there, weight))
    for space, label in towards:
        now = space.now()
        place = Point(space.place(now, label), now.texts.vector_of(whole))
        asked.append((space, now, place, 1.0))
    found = _found(asked, k + 1, where, distinct=distinct)
    hits = [hit for hit in found.hits if hit.id != whole][:k]
    return replace(found, hits=with_passages(hits, asked) if passages else hits)


def _found(
    asked: Sequence[tuple[Space, Snapshot, Point, float]],
    k: int,
    where: str | None,
    *,
    distinct: bool,
) -> Found:
    whole = sum(weight for *_, weight in asked)
    seen = [
        _Seen(now, replace(point, vector=unit_rows(point.vector[None])[0]), weight / whole)
        for _, now, point, weight in asked
    ]
    first = seen[0].now
    shared = where is not None and first.rows.speaks_of_documents(where)

    def find(k: int) -> list[Hit]:
        many = max(_FIRST, 2 * k)
        while True:
            ranked, beyond = _ranked(seen, many, where, shared=shared)
            enough = len(ranked) >= k and ranked[k - 1].score >= beyond
            if enough or beyond == -1.0 or many >= FARTHEST:
                return _with_texts(first, ranked[:k])
            many *= _MORE

    return Found(best(first, find, k, distinct=distinct), first.made_by)


def _ranked(
    seen: Sequence[_Seen], many: int, where: str | None, *, shared: bool
) -> tuple[list[Hit], float]:
    """Return the candidates, best first, and what no text beyond them can exceed; −1: none is."""
    ids: dict[str, None] = {}
    beyond, all_seen = 0.0, False
    for at, each in enumerate(seen):
        asked = where if shared or not at else None
        near = each.now.nearest(each.point, many, asked, ["id"])
        ids |= dict.fromkeys(str(row.row["id"]) for row in near)
        all_seen = all_seen or (len(near) < many and (asked == where))
        beyond += each.share * (near[-1].score if near else -1.0)
    first = seen[0].now
    rows = first.rows.rows_of(list(ids), first.shown, where)
    cosines = [each.cosines(list(rows)) for each in seen]
    scores = {
        key: sum(each.share * found[key] for each, found in zip(seen, cosines, strict=True))
        for key in rows
        if all(key in found for found in cosines)
    }
    order = sorted(scores, key=lambda key: (-scores[key], key))
    hits = [hit_of(NearRow(scores[key], rows[key]), None) for key in order]
    return hits, -1.0 if all_seen else beyond


def _with_texts(first: Snapshot, hits: Sequence[Hit]) -> list[Hit]:
    texts = first.texts.texts_of([hit.id for hit in hits])
    return [replace(hit, text=texts.get(hit.id)) for hit in hits]
