"""The points of a view: where each text lies on its map, and what the view says of it."""

from __future__ import annotations

import pyarrow as pa
from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from flows.explore.routes.places import ARROW, stream
from flows.explore.routes.search import Name
from flows.explore.service import Served
from tasks.core.atlas.kept import ViewMap
from tasks.core.store.searcher import Searcher
from tasks.core.store.tables import READINGS

router = APIRouter(tags=["points"])
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
def points(service: Served, name: Name) -> Response:
    """Give a row a text, by id: id, x and y in [-1, 1], label, confidence, novelty.

    Up to a million rows, of more a sample: `rows` and `total` are in the schema's metadata. A map
    is made once a version, in the background.
    """
    now = service.view(name).space.now()
    made = service.maps.of(name, now.rows.version)
    if isinstance(made, float):
        return JSONResponse(Making(making=round(made, 3)).model_dump(), 202)
    columns = {"id": made.rows.ids}
    columns |= {axis: pa.array(made.places[:, at].copy()) for at, axis in enumerate("xy")}
    columns |= dict(zip(READINGS, _readings(now.rows, made), strict=True))
    return stream(pa.table(columns), made, now.made_by)


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
