"""Texts found by their meaning: by a query, in one view or by several, and by a stored text."""

from __future__ import annotations

import math
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict

from flows.explore.client import INEXACT
from flows.explore.service import Served, Service
from tasks.core.text.discretion import shown
from tasks.core.views.search import Space
from tasks.core.views.snapshot import Found
from tasks.core.views.together import MOST as MOST_VIEWS
from tasks.core.views.together import closest_by_all, similar_by_all, weight_of
from tasks.core.workspace.errors import InputError

router = APIRouter(tags=["search"])
MOST = 10_000  # texts of one answer, as of the command line

Name = Annotated[str, Path(description="an instruction, or base", max_length=63)]
Where = Annotated[
    str | None,
    Query(description="keep rows for which this is true, such as: channel = 'email'"),
]
Many = Annotated[int, Query(ge=1, le=MOST, description="how many texts")]
Passages = Annotated[
    bool, Query(description="of each text the part that is closest to what was asked for")
]
Distinct = Annotated[bool, Query(description="of texts that say the same, the closest alone")]

Further = Annotated[
    list[str] | None,
    Query(description="a further view to rank by, with a weight behind a colon: topic:0.5"),
]


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
    """What was found, best first; transform: the fingerprint of the one that answered.

    remark: there where the filter names a label that the view has not.
    """

    hits: list[Hit]
    view: str
    transform: str | None
    remark: str = ""


@router.get("/views/{name}/search", response_model_exclude_unset=True)
def search(
    service: Served,
    answer: Response,
    name: Name,
    q: Annotated[str, Query(description="the text to look for", pattern=r"\S")],
    k: Many = 10,
    where: Where = None,
    distinct: Distinct = False,
    passages: Passages = False,
    view: Further = None,
) -> Hits:
    """Find the texts closest to a query, as the view sees it, or as several do together."""
    weights = _weights(name, view or [])
    found = closest_by_all(
        _spaces(service, weights), q, k, where, distinct=distinct, passages=passages
    )
    return _told(name, found, answer, service.view(name).remark(where))


@router.get("/views/{name}/similar/{id:path}", response_model_exclude_unset=True)
def similar(
    service: Served,
    answer: Response,
    name: Name,
    id: Annotated[str, Path(description="an id, or a beginning that one alone has")],  # noqa: A002
    k: Many = 10,
    where: Where = None,
    distinct: Distinct = False,
    passages: Passages = False,
    view: Further = None,
    towards: Annotated[
        list[str] | None,
        Query(
            alias="with",
            description="a view, and behind a colon the label to have there: emotion:grateful",
        ),
    ] = None,
) -> Hits:
    """Find the neighbours of a stored text, itself left out, in one view or in several together.

    With labels, texts that are like it in these views, and have the labels in others.
    """
    weights = _weights(name, view or [])
    labels = _labels(towards or [], weights)
    there = [(_space(service, one), label) for one, label in labels.items()]
    spaces = _spaces(service, weights)
    found = similar_by_all(
        spaces, id, k, where, distinct=distinct, towards=there, passages=passages
    )
    return _told(name, found, answer, service.view(name).remark(where))


def _spaces(service: Service, weights: dict[str, float]) -> list[tuple[Space, float]]:
    return [(_space(service, one), weight) for one, weight in weights.items()]


def _space(service: Service, name: str) -> Space:
    return service.view(name).space


def _told(name: str, found: Found, answer: Response, remark: str = "") -> Hits:
    """Return what was found; a number beyond all others is null in JSON, and a header says so."""
    hits = [Hit.model_validate(hit.to_json()) for hit in found.hits]
    values = (value for hit in found.hits for value in hit.metadata.values())
    if any(isinstance(value, float) and not math.isfinite(value) for value in values):
        answer.headers[INEXACT] = "true"
    told = Hits(hits=hits, view=name, transform=found.made_by)
    return told.model_copy(update={"remark": remark}) if remark else told


def _weights(first: str, others: list[str]) -> dict[str, float]:
    """Return the weight of each view: 1 where none is said; that of the first may be named too."""
    if len(others) >= MOST_VIEWS:
        most = MOST_VIEWS - 1
        raise InputError(f"view: found {len(others)} more views; expected at most {most}")
    named: dict[str, float] = {}
    for each in others:
        name, colon, said = each.partition(":")
        if name in named:
            raise InputError(f"view {shown(name)}: found it twice; expected each view once")
        named[name] = weight_of(name, said) if colon else 1.0
    return {first: named.pop(first, 1.0)} | named


def _labels(said: list[str], weights: dict[str, float]) -> dict[str, str]:
    """Return the label to go towards in each further view."""
    if len(said) + len(weights) > MOST_VIEWS:
        raise InputError(f"with: found {len(said)} more views; expected at most {MOST_VIEWS}")
    named: dict[str, str] = {}
    for each in said:
        name, colon, label = each.partition(":")
        if not colon:
            raise InputError(
                f"with {shown(name)}: found no label; expected a view and a label, such as"
                " emotion:grateful"
            )
        if name in named or name in weights:
            raise InputError(f"view {shown(name)}: found it twice; expected each view once")
        named[name] = label
    return named
