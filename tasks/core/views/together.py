"""Several views as one: the texts that are closest to a query by all of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tasks.core.numerics.rows import unit_rows
from tasks.core.store.answers import NearRow
from tasks.core.views.lazy_search import Point
from tasks.core.views.search import Space, check_query
from tasks.core.views.snapshot import FARTHEST, Found, Hit, Snapshot, best, hit_of

_FIRST = 50  # candidates a view, at least
_MORE = 4  # times as many where these do not suffice


@dataclass(frozen=True)
class _Seen:
    """A view as it is now, where the query lies in it, and its share of the score."""

    now: Snapshot
    point: Point
    share: float


def closest_by_all(
    spaces: Sequence[tuple[Space, float]],
    text: str,
    k: int,
    where: str | None = None,
    *,
    distinct: bool = False,
) -> Found:
    """Return the `k` texts with the greatest mean of cosines over `spaces`, by their weights.

    Each view gives candidates by its own index, as many more as it takes until no text beyond them
    can be among the best (Fagin et al., "Optimal Aggregation Algorithms for Middleware", 2003, the
    threshold algorithm); 10,000 a view at most. What a hit says, and what `where` reads, is what
    the first view has.
    """
    check_query(text)
    whole = sum(weight for _, weight in spaces)
    seen = []
    for space, weight in spaces:
        now = space.now()
        there = space.point(now, text)
        point = replace(there, vector=unit_rows(there.vector[None])[0])
        seen.append(_Seen(now, point, weight / whole))
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
    scores = dict.fromkeys(rows, 0.0)
    for each in seen:
        vectors = each.now.rows.vectors_of(list(rows))
        scores = {key: score for key, score in scores.items() if key in vectors}
        for key in scores:
            scores[key] += each.share * float(unit_rows(vectors[key][None])[0] @ each.point.vector)
    order = sorted(scores, key=lambda key: (-scores[key], key))
    hits = [hit_of(NearRow(scores[key], rows[key]), None) for key in order]
    return hits, -1.0 if all_seen else beyond


def _with_texts(first: Snapshot, hits: Sequence[Hit]) -> list[Hit]:
    texts = first.texts.texts_of([hit.id for hit in hits])
    return [replace(hit, text=texts.get(hit.id)) for hit in hits]
