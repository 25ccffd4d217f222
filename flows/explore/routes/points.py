"""The points of a view: where each text lies on its map, and what the view says of it."""

from __future__ import annotations

from typing import Annotated

import pyarrow as pa
from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from flows.explore.routes.places import ARROW, order_of, stream
from flows.explore.routes.search import Name
from flows.explore.service import Served
from tasks.core.atlas import order
from tasks.core.atlas.kept import ViewMap
from tasks.core.store.searcher import Searcher
from tasks.core.store.tables import READINGS
from tasks.core.workspace.instruction_name import BASE

router = APIRouter(tags=["points"])
Standing = Annotated[bool, Query(description="rather the places of before than none")]
_KINDS = (pa.dictionary(pa.int32(), pa.string()), pa.float32(), pa.float32())  # of READINGS


class Making(BaseModel):
    """The map is being made: which share of it is, from 0 to 1."""

    making: float


@router.get(
    "/views/{name}/points",
    response_class=Response,
    responses={
        200: {"content": {ARROW: {"schema": {"type": "string", "format": "binary"}}}},
        202: {"model": Making, "description": "not made yet; ask again"},
    },
)
def points(service: Served, name: Name, standing: Standing = False) -> Response:
    """Give a row a text, by id: id, x and y in [-1, 1], label, confidence, novelty.

    Up to a million rows, of more a sample: `rows` and `total` are in the schema's metadata. A map
    is made once a version, in the background. `standing`: until then the places of the version
    before, with what this one says of each text; `making` in the metadata tells how far its own is.
    """
    now = service.view(name).space.now()
    made = service.maps.of(name, now.rows.version)
    if not isinstance(made, float):
        return stream(_table(made, _readings(now.rows, made)), made, now.made_by)
    before = service.maps.latest(name) if standing and name != BASE else None
    if before is not None:
        of = order_of(service, name, now.rows)
        if before.corpus == of.corpus:  # else texts have come or gone
            columns = [order.column(now.rows, of, column) for column in READINGS]
            readings = [_as(column, kind) for column, kind in zip(columns, _KINDS, strict=True)]
            return stream(_table(before, readings), before, now.made_by, making=made)
    return JSONResponse(Making(making=round(made, 3)).model_dump(), 202)


def _table(made: ViewMap, readings: list[pa.Array]) -> pa.Table:
    columns = {"id": made.rows.ids}
    columns |= {axis: pa.array(made.places[:, at].copy()) for at, axis in enumerate("xy")}
    return pa.table(columns | dict(zip(READINGS, readings, strict=True)))


def _readings(rows: Searcher, made: ViewMap) -> list[pa.Array]:
    """Return what a version says of the rows of its map; nulls where it is the base."""
    if not set(READINGS) <= set(rows.names):
        return [pa.nulls(len(made), kind) for kind in _KINDS]
    parts: list[list[pa.Array]] = [[pa.array([], kind) for kind in _KINDS]]
    for batch in rows.scan(READINGS):
        parts.append([_as(batch.column(at), kind) for at, kind in enumerate(_KINDS)])
    whole = pa.table([pa.chunked_array(part) for part in zip(*parts, strict=True)], READINGS)
    drawn = whole.unify_dictionaries().take(pa.array(made.rows.row))
    return [column.combine_chunks() for column in drawn.columns]


def _as(column: pa.Array, kind: pa.DataType) -> pa.Array:
    return column.dictionary_encode() if pa.types.is_dictionary(kind) else column.cast(kind)
