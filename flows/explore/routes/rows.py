"""The rows of a view: by id, page by page, and what they have in common."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from flows.explore.routes.search import Name, Text, Where
from flows.explore.service import Served, Service
from tasks.core.views import browsing
from tasks.core.views.browsing import Sort
from tasks.core.views.snapshot import Snapshot

router = APIRouter(tags=["rows"])
Label = Annotated[str | None, Query(description="rows with this label alone")]


class Texts(BaseModel):
    """Texts in the order in which they were asked for."""

    texts: list[Text]


class Rows(BaseModel):
    """A part of the rows that match, and how many these are."""

    total: int
    rows: list[Text]


class Values(BaseModel):
    """The commonest values of a column, with how many rows have them; others: all other rows."""

    kind: Literal["values"] = "values"
    values: dict[str, int]
    others: int


class Range(BaseModel):
    """The least and the greatest value of a column of numbers."""

    kind: Literal["range"] = "range"
    min: int | float | None
    max: int | float | None


class Facets(BaseModel):
    """What the rows that match have in common; labels: there are none in the generic space."""

    total: int
    labels: dict[str, int]
    columns: dict[str, Annotated[Values | Range, Field(discriminator="kind")]]


@router.get("/views/{name}/texts", response_model_exclude_unset=True)
def texts(
    service: Served,
    name: Name,
    id: Annotated[list[str], Query(min_length=1, max_length=1_000)],  # noqa: A002
) -> Texts:
    """Give texts by their ids."""
    found = _now(service, name).texts_of(id)
    return Texts(texts=[Text.model_validate(row) for row in found])


@router.get("/views/{name}/rows", response_model_exclude_unset=True)
def rows(
    service: Served,
    name: Name,
    where: Where = None,
    label: Label = None,
    sort: Sort = "id",
    limit: Annotated[int, Query(ge=1, le=1_000)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Rows:
    """Give rows page by page."""
    found = browsing.page(_now(service, name), where, label, sort, limit, offset)
    return Rows(total=found.total, rows=[Text.model_validate(row) for row in found.rows])


@router.get("/views/{name}/facets")
def facets(
    service: Served,
    name: Name,
    where: Where = None,
    column: Annotated[list[str] | None, Query(description="these columns alone")] = None,
) -> Facets:
    """Count rows by label, and by the values of each column."""
    now = _now(service, name)
    key = ("facets", name, now.rows.state, where, tuple(column) if column is not None else None)
    found = service.once(key, lambda: browsing.facets(now, where, column))
    return Facets(
        total=found.total,
        labels=found.labels,
        columns={name: _facet(one) for name, one in found.columns.items()},
    )


def _facet(found: browsing.Values | browsing.Range) -> Values | Range:
    if isinstance(found, browsing.Values):
        return Values(values=found.values, others=found.others)
    return Range(min=found.least, max=found.most)


def _now(service: Service, name: str) -> Snapshot:
    return service.view(name).space.now()
