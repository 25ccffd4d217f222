"""A workspace that Refract 0.1 made, before cards and stamps had a version, still works.

`fixtures/workspace-0.1.tar.xz` holds it as that version left it, without git and DVC: a view a
method, one rolled back, one labelled by a model; its encoder; and what that version saw in it.
"""

import hashlib
import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest

from flows import Workspace
from flows.run import run
from flows.state.staleness import FRESH
from flows.state.status import read_status
from tasks.core.store import arrow, tables
from tasks.core.transforms.base import load
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import read_json
from tasks.core.workspace.paths import Paths

ARCHIVE = Path(__file__).parents[1] / "fixtures" / "workspace-0.1.tar.xz"
VIEWS = ("discriminant", "gstransform", "kernel", "mood", "tone", "topic")


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("earlier")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture
def earlier(laid_out, tmp_path, monkeypatch):
    """The workspace; its settings name the encoder from the folder above."""
    folder = shutil.copytree(laid_out, tmp_path / "earlier")
    monkeypatch.chdir(folder)
    return folder / "world"


@pytest.fixture
def then(laid_out):
    return json.loads((laid_out / "seen.json").read_text("utf-8"))


def test_every_view_holds_and_finds_what_it_did(earlier, then):
    workspace = Workspace(earlier)
    assert tuple(workspace.views) == VIEWS
    for name in ("base", *VIEWS):
        view, was = workspace.view(name), then["views"][name]
        rows = view.frame().sort("id")
        assert rows["id"].to_list() == was["ids"]
        assert hashlib.sha256(rows["vector"].to_numpy().tobytes()).hexdigest() == was["vectors"]
        if name != "base":
            assert rows["label"].to_list() == was["labels"]
        hits = [hit["score"] for hit in view.hits("thank you, the parcel", k=9)]
        assert hits == pytest.approx([score for _, score in was["hits"]], abs=1e-3)


@pytest.mark.parametrize("name", VIEWS)
def test_every_transform_gives_the_vectors_and_labels_of_its_view(earlier, name):
    paths = Paths(earlier)
    transform, card = load(paths.transform(name))
    base = tables.take(paths.base_table, np.arange(72), ["id", tables.VECTOR])
    reading = transform.apply(arrow.vectors_of(base.column(tables.VECTOR)))
    rows = Workspace(earlier).view(name).frame().sort("id")
    order = np.argsort(base.column("id").to_pylist())
    np.testing.assert_allclose(reading.vectors[order], rows["vector"].to_numpy(), atol=2e-3)
    assert [transform.labels[at] for at in reading.label[order]] == rows["label"].to_list()
    assert card.instruction == name


def test_status_says_of_it_what_it_did_but_that_readers_and_formulas_are_newer(earlier, then):
    workspace = Workspace(earlier)
    now, was = read_status(workspace.paths, workspace.params).to_json(), then["status"]
    reason = "the corpus is a file, as earlier versions kept it"
    was["corpus"] |= {"stale": True, "reason": reason}
    for part in ("corpus", "vectors"):
        assert {key: now[part][key] for key in was[part]} == was[part]
    assert tuple(now["instructions"]) == VIEWS
    for name, about in was["instructions"].items():
        told = now["instructions"][name]
        assert told["transform"]["stale"] is True
        for when in ("before", "after"):
            figures = about.pop(when)
            assert told[when] == {key: n for key, n in figures.items() if n is not None}
        assert {key: told[key] for key in about if key != "transform"} == {
            key: value for key, value in about.items() if key != "transform"
        }


@pytest.mark.parametrize(
    ("made", "newest"), [("corpus/ingest", 1), ("views/mood", 1), ("transforms/mood/transform", 2)]
)
def test_what_a_newer_refract_has_noted_is_refused_in_one_line(earlier, made, newest):
    workspace, file = Workspace(earlier), earlier / "data" / f"{made}.json"
    file.write_text(json.dumps(read_json(file) | {"format": newest + 1}))
    with pytest.raises(InputError) as caught:
        read_status(workspace.paths, workspace.params)
    assert str(caught.value) == (
        f"{file}: was written by a newer Refract (format {newest + 1}, this one reads {newest});"
        " upgrade Refract"
    )


def test_run_brings_it_up_to_date_and_encodes_nothing(earlier, then, monkeypatch):
    monkeypatch.setattr("tasks.embed.load_table_encoder", None)
    report = run(earlier)
    assert report.ingest.digest == read_json(Paths(earlier).stamp("embed"))["corpus"]
    assert (report.embed.rows, report.embed.written, report.embed.retired) == (72, 0, 0)
    assert not Paths(earlier).earlier_corpus.exists()
    assert sorted(made.name for made in report.fit.fitted if made.refitted) == list(VIEWS)
    assert not report.fit.rejected
    assert sorted(view.name for view in report.materialise) == list(VIEWS)
    workspace = Workspace(earlier)
    rows = workspace.view("base").frame().sort("id")
    was = then["views"]["base"]["vectors"]
    assert hashlib.sha256(rows["vector"].to_numpy().tobytes()).hexdigest() == was
    after = read_status(workspace.paths, workspace.params)
    for about in after.instructions.values():
        assert about.transform == about.view == FRESH
