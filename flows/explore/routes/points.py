"""The points of a view: where each text lies on its map, and what the view says of it."""

from __future__ import annotations

import pyarrow as pa
from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from flows.explore.routes.places import ARROW, order_of, stream
from flows.explore.routes.search import Name
from flows.explore.service import Served
from tasks.core.store.tables import READINGS
from tasks.core.views import order

router = APIRouter(tags=["points"])
_UNREAD = (pa.dictionary(pa.int32(), pa.string()), pa.float32(), pa.float32())  # of the base


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
    of = order_of(service, name, now.rows)
    columns = {"id": made.rows.ids}
    columns |= {axis: pa.array(made.places[:, at].copy()) for at, axis in enumerate("xy")}
    for reading, kind in zip(READINGS, _UNREAD, strict=True):
        known = reading in now.rows.names
        values = order.column(now.rows, of, reading) if known else pa.nulls(len(made), kind)
        columns[reading] = values.cast(kind)
    return stream(pa.table(columns), of, now.made_by)
