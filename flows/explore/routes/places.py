"""Columns and choices of rows in the order of a view's points, as Arrow streams."""

from __future__ import annotations

from typing import Annotated

import pyarrow as pa
from fastapi import APIRouter, Path, Response

from flows.explore.routes.rows import Label
from flows.explore.routes.search import Name, Where
from flows.explore.service import Served, Service
from tasks.core.atlas import order
from tasks.core.atlas.kept import ViewMap
from tasks.core.atlas.order import Order
from tasks.core.store.searcher import Searcher
from tasks.core.store.tables import READINGS
from tasks.core.text.discretion import shown
from tasks.core.views.browsing import check_readings
from tasks.core.workspace.errors import MissingError

router = APIRouter(tags=["points"])
ARROW = "application/vnd.apache.arrow.stream"
ROWS = 65_536  # of a record batch, at most


class Stream(Response):
    """An Arrow IPC stream."""

    media_type = ARROW


AS_ARROW: dict[int | str, dict[str, object]] = {
    200: {"content": {ARROW: {"schema": {"type": "string", "format": "binary"}}}}
}


@router.get("/views/{name}/matching", response_class=Response, responses=AS_ARROW)
def matching(service: Served, name: Name, where: Where = None, label: Label = None) -> Stream:
    """Tell which points match: one column `row`, uint32, their places in `points`, ascending."""
    now = service.view(name).space.now()
    check_readings(now.rows, [] if label is None else ["label"])
    of = order_of(service, name, now.rows)
    rows = order.matching(now.rows, of, where, label)
    return stream(pa.table({"row": pa.array(rows, pa.uint32())}), of, now.made_by)


@router.get("/views/{name}/column/{column:path}", response_class=Response, responses=AS_ARROW)
def column(
    service: Served, name: Name, column: Annotated[str, Path(description="of the metadata")]
) -> Stream:
    """Give one column that came with the documents, a row a point; text as a dictionary."""
    now = service.view(name).space.now()
    known = [each for each in now.shown if each not in ("id", *READINGS)]
    if column not in known:
        raise MissingError(
            f"column {shown(column)}: found none of that name; expected one of:"
            f" {', '.join(known) or 'none, the documents have no columns'}"
        )
    of = order_of(service, name, now.rows)
    return stream(pa.table({column: order.column(now.rows, of, column)}), of, now.made_by)


def order_of(service: Service, name: str, rows: Searcher) -> Order:
    """Return the order of a version's points; versions with the same ids share it."""
    key = ("ids", rows.table, rows.state)  # in a store, the state is a number of one table's
    state = service.once(key, lambda: order.ids_state(rows))
    return service.kept_order(state, lambda: order.order_of(rows))


def stream(
    table: pa.Table, of: Order | ViewMap, made_by: str | None, making: float | None = None
) -> Stream:
    """Return a table as a stream, with what it is of in the metadata of its schema.

    making: how much of its own map is made, where the places are of an earlier one.
    """
    about = {"rows": str(len(of)), "total": str(of.total), "corpus": of.corpus}
    about |= {} if made_by is None else {"transform": made_by}
    about |= {} if making is None else {"making": f"{making:.3f}"}
    table = table.replace_schema_metadata(about)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as to:
        to.write_table(table, max_chunksize=ROWS)
    return Stream(sink.getvalue().to_pybytes())
