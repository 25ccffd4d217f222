"""Maps behind the answers: begun by asking, told how far they are, and why they were not made."""

import time

import numpy as np
import pyarrow as pa
import pytest

from flows.explore.map_making import MapMaking
from flows.explore.routes.points import _readings, points
from flows.explore.service import Service
from flows.queries.maps import maps_of, whole_map
from flows.queries.workspace import Workspace
from flows.run import run
from tasks.core.settings.params import load_params
from tasks.core.store import tables
from tasks.core.workspace.errors import UnmadeError
from tasks.core.workspace.paths import Paths
from tests.exploring import PATIENCE
from tests.world import documents, set_params, write_documents, write_labels


def asked(making, paths, name, version=None):
    """Ask until there is an answer."""
    version = version or tables.live_version(paths.view_table(name))
    last = time.monotonic() + PATIENCE
    while isinstance(found := making.of(name, version), float):
        assert 0 <= found <= 1
        assert time.monotonic() < last
        time.sleep(0.05)
    return found


def table_of(reply):
    assert reply.status_code == 200, reply.body
    return pa.ipc.open_stream(reply.body).read_all()


def test_why_a_map_could_not_be_made_is_told_once_and_then_it_is_tried_again(made):
    paths = Paths(made)
    making = MapMaking(paths, lambda: load_params(paths.params))
    paths.maps("mood").parent.mkdir(parents=True)
    paths.maps("mood").write_text("in the way")
    with pytest.raises(UnmadeError, match=r"map of mood: .*maps/mood.*; ask again"):
        asked(making, paths, "mood")
    paths.maps("mood").unlink()
    found = asked(making, paths, "mood")
    assert asked(making, paths, "mood") is found


def test_it_is_the_map_of_reports_and_exports(made):
    paths = Paths(made)
    params = load_params(paths.params)
    base, view = maps_of(paths, params, "mood")
    found = asked(MapMaking(paths, lambda: params), paths, "mood")
    np.testing.assert_array_equal(found.places, view.places)
    np.testing.assert_array_equal(whole_map(paths, params, "mood").places, view.places)
    assert base.rows.ids.equals(view.rows.ids)
    assert [len(list(paths.maps(name).iterdir())) for name in ("base", "mood")] == [1, 1]


def test_until_a_map_is_made_texts_stand_where_they_stood_with_what_the_new_version_says(made):
    paths, service = Paths(made), Service(made)
    asked(service.maps, paths, "mood")
    before = table_of(points(service, "mood"))
    write_labels(made, "mood", [row for n, row in enumerate(documents()) if n % 4 != 2])
    run(made)
    assert points(service, "mood").status_code == 202
    standing = table_of(points(service, "mood", standing=True))
    frame = Workspace(made).view("mood").frame().sort("id")
    assert standing["label"].to_pylist() == frame["label"].to_list()
    np.testing.assert_allclose(standing["confidence"], frame["confidence"], atol=1e-5)
    assert standing.select(["id", "x", "y"]).equals(before.select(["id", "x", "y"]))
    about = standing.schema.metadata
    assert 0 <= float(about[b"making"]) <= 1
    assert about[b"transform"] != before.schema.metadata[b"transform"]
    asked(service.maps, paths, "mood")
    after = table_of(points(service, "mood", standing=True))
    assert b"making" not in after.schema.metadata
    assert not after.select(["x", "y"]).equals(before.select(["x", "y"]))


def test_places_of_other_texts_are_not_told_as_those_of_the_new_ones(made):
    paths, service = Paths(made), Service(made)
    asked(service.maps, paths, "mood")
    write_documents(made, documents()[:70])
    run(made)
    assert points(service, "mood", standing=True).status_code == 202


def test_the_points_of_a_lazy_view_are_its_rows(made):
    set_params(made, materialise={"mode": "lazy"})
    run(made)
    paths, view = Paths(made), Workspace(made).view("mood")
    making, now = MapMaking(paths, lambda: load_params(paths.params)), view.space.now()
    found = asked(making, paths, "mood", now.rows.version)
    frame = view.frame().sort("id")
    assert found.rows.ids.to_pylist() == frame["id"].to_list()
    label, confidence, novelty = _readings(now.rows, found)
    assert label.to_pylist() == frame["label"].to_list()
    np.testing.assert_allclose(confidence.to_numpy(), frame["confidence"], atol=1e-5)
    np.testing.assert_allclose(novelty.to_numpy(), frame["novelty"], atol=1e-5)
