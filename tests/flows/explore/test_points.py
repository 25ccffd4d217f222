"""Where texts lie: `GET /views/{name}/points`."""

import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from flows.explore.routes.places import order_of
from flows.explore.service import Service
from flows.queries.workspace import Workspace
from tasks.core.atlas import order
from tests.exploring import PATIENCE


def points(served, name):
    """Ask until the map is made; return the table and what was told meanwhile."""
    told, last = [], time.monotonic() + PATIENCE
    while (reply := served.get(f"/views/{name}/points")).status == 202:
        told.append(reply.json["making"])
        assert time.monotonic() < last
        time.sleep(0.1)
    assert reply.status == 200, reply.body
    assert reply.headers["content-type"] == "application/vnd.apache.arrow.stream"
    return pa.ipc.open_stream(reply.body).read_all(), told


def test_a_map_is_made_behind_the_answers_and_then_kept(explored):
    found, told = points(explored, "mood")
    assert told and all(0 <= share <= 1 for share in told)
    again, told = points(explored, "mood")
    assert not told
    assert again.equals(found)
    assert len(list((explored.root / ".refract" / "maps" / "mood").glob("*.arrow"))) == 1


def test_points_are_the_rows_of_the_view_by_id(explored):
    found, _ = points(explored, "mood")
    frame = Workspace(explored.root).view("mood").frame().sort("id")
    assert found.column_names == ["id", "x", "y", "label", "confidence", "novelty"]
    for name in ("id", "label", "confidence", "novelty"):
        assert found.column(name).to_pylist() == frame[name].to_list()
    assert found.schema.field("label").type == pa.dictionary(pa.int32(), pa.string())
    places = np.column_stack([found.column(axis).to_numpy() for axis in "xy"])
    assert places.dtype == np.float32
    assert np.isfinite(places).all() and np.abs(places).max() <= 1
    about = found.schema.metadata
    assert about[b"rows"] == about[b"total"] == str(len(frame)).encode()
    assert about[b"transform"].decode() == explored.get("/views/mood").json["transform"]


@pytest.mark.parametrize("other", ["base", "topic"])
def test_the_rows_are_the_same_in_every_view_and_column(explored, other):
    mood, theirs = (points(explored, name)[0] for name in ("mood", other))
    assert mood.column("id").equals(theirs.column("id"))
    column = pa.ipc.open_stream(explored.get("/views/mood/column/stars").body).read_all()
    corpora = {made.schema.metadata[b"corpus"] for made in (mood, theirs, column)}
    assert len(corpora) == 1


def test_the_base_has_places_and_no_readings(explored):
    found, _ = points(explored, "base")
    assert found.column("label").type == pa.dictionary(pa.int32(), pa.string())
    assert found.select(["label", "confidence", "novelty"]).to_pylist() == found.num_rows * [
        {"label": None, "confidence": None, "novelty": None}
    ]


def test_texts_of_one_label_lie_together_in_the_view_more_than_in_the_base(explored):
    mood, base = points(explored, "mood")[0], points(explored, "base")[0]
    labels = np.array(mood.column("label").to_pylist())

    def alike(made):
        places = pl.DataFrame({axis: made.column(axis).to_numpy() for axis in "xy"}).to_numpy()
        apart = np.linalg.norm(places[:, None] - places, axis=2)
        np.fill_diagonal(apart, np.inf)
        nearest = apart.argsort(1)[:, :5]
        return (labels[nearest] == labels[:, None]).mean()

    assert alike(mood) > alike(base)


def test_there_are_no_points_of_no_view(explored):
    assert explored.get("/views/nope/points").status == 404


def test_tables_of_one_version_number_have_an_order_each(made, monkeypatch):
    service = Service(made)
    monkeypatch.setattr(order, "ids_state", lambda rows: f"ids of {rows.table.name}")
    monkeypatch.setattr(order, "order_of", lambda rows: rows.table.name)
    in_a_store = [SimpleNamespace(table=Path(name), state="4") for name in ("base", "mood")]
    assert [order_of(service, "mood", rows) for rows in in_a_store] == ["base", "mood"]
