"""Texts found by their meaning: by a query, in one view or by several, and by a stored text."""

from __future__ import annotations

import math
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict

from flows.explore.client import INEXACT
from flows.explore.service import Served, Service
from tasks.core.views.search import Space
from tasks.core.views.snapshot import Found
from tasks.core.views.together import closest_by_all
from tasks.core.workspace.errors import InputError

router = APIRouter(tags=["search"])
MOST = 10_000  # texts of one answer, as of the command line
_VIEWS = 16  # that one question is put to at once
_HEAVIEST = 1_000.0

Name = Annotated[str, Path(description="an instruction, or base", max_length=63)]
Where = Annotated[
    str | None,
    Query(description="keep rows for which this is true, such as: channel = 'email'"),
]
Many = Annotated[int, Query(ge=1, le=MOST, description="how many texts")]
Distinct = Annotated[bool, Query(description="of texts that say the same, the closest alone")]


class Text(BaseModel):
    """A text with what came with it, each column a key of its own, and what the view says of it.

    label, confidence, novelty are not there in the generic space.
    """

    model_config = ConfigDict(extra="allow")

    text: str | None
    id: str
    label: str | None = None
    confidence: float | None = None
    novelty: float | None = None


class Hit(Text):
    """A text that was found; score: cosine, or a mean of cosines, −1 to 1."""

    score: float


class Hits(BaseModel):
    """What was found, best first; transform: the fingerprint of the one that answered."""

    hits: list[Hit]
    view: str
    transform: str | None


@router.get("/views/{name}/search", response_model_exclude_unset=True)
def search(
    service: Served,
    answer: Response,
    name: Name,
    q: Annotated[str, Query(description="the text to look for", pattern=r"\S")],
    k: Many = 10,
    where: Where = None,
    distinct: Distinct = False,
    view: Annotated[
        list[str] | None,
        Query(description="a further view to rank by, with a weight behind a colon: topic:0.5"),
    ] = None,
) -> Hits:
    """Find the texts closest to a query, as the view sees it, or as several do together."""
    shares = _shares(name, view or [])
    spaces = [(_space(service, one), share) for one, share in shares.items()]
    if len(spaces) > 1:
        found = closest_by_all(spaces, q, k, where, distinct=distinct)
    else:
        found = spaces[0][0].closest(q, k, where, distinct=distinct)
    return _told(name, found, answer)


@router.get("/views/{name}/similar/{id:path}", response_model_exclude_unset=True)
def similar(
    service: Served,
    answer: Response,
    name: Name,
    id: Annotated[str, Path(description="an id, or a beginning that one alone has")],  # noqa: A002
    k: Many = 10,
    where: Where = None,
    distinct: Distinct = False,
) -> Hits:
    """Find the neighbours of a stored text, itself left out."""
    found = _space(service, name).neighbours(id, k, where, distinct=distinct)
    return _told(name, found, answer)


def _space(service: Service, name: str) -> Space:
    return service.view(name).space


def _told(name: str, found: Found, answer: Response) -> Hits:
    """Return what was found; a number beyond all others is null in JSON, and a header says so."""
    hits = [Hit.model_validate(hit.to_json()) for hit in found.hits]
    values = (value for hit in found.hits for value in hit.metadata.values())
    if any(isinstance(value, float) and not math.isfinite(value) for value in values):
        answer.headers[INEXACT] = "true"
    return Hits(hits=hits, view=name, transform=found.made_by)


def _shares(first: str, others: list[str]) -> dict[str, float]:
    """Return the weight of each view: 1 where none is said; that of the first may be named too."""
    if len(others) >= _VIEWS:
        raise InputError(f"view: found {len(others)} more views; expected at most {_VIEWS - 1}")
    named: dict[str, float] = {}
    for each in others:
        name, colon, said = each.partition(":")
        if name in named:
            raise InputError(f"view {name!r}: found it twice; expected each view once")
        named[name] = _weight(said) if colon else 1.0
    return {first: named.pop(first, 1.0)} | named


def _weight(said: str) -> float:
    try:
        weight = float(said)
    except ValueError:
        weight = math.nan
    if not 0 < weight <= _HEAVIEST:
        raise InputError(
            f"view: found the weight {said[:40]!r}; expected a number above 0, at most"
            f" {_HEAVIEST:.0f}, such as topic:0.5"
        )
    return weight
