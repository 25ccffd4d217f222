"""What a reader of a workspace finds: neighbours, filters, exports, and what is not there."""

import json

import numpy as np
import polars as pl
import pytest

from flows import Workspace
from tasks.core.views import near_duplicates
from tasks.core.workspace.errors import InputError


def test_similar_leaves_the_text_itself_out(made):
    hits = Workspace(made).view("topic").similar("t00", k=5)
    assert len(hits) == 5
    assert "t00" not in hits["id"].to_list()
    with pytest.raises(InputError, match="'nope': not in this view"):
        Workspace(made).view("topic").similar("nope")


def test_of_texts_that_say_the_same_the_closest_alone_is_found(made, monkeypatch):
    monkeypatch.setattr(near_duplicates, "ALIKE", 0.5)
    view = Workspace(made).view("topic")
    every = view.hits("login", 72)
    few = view.hits("login", 6, distinct=True)
    base = Workspace(made).view().frame()
    vectors = {row["id"]: np.array(row["vector"], np.float64) for row in base.to_dicts()}
    units = {key: each / np.linalg.norm(each) for key, each in vectors.items()}
    kept = []
    for hit in every:
        if all(units[hit["id"]] @ units[other["id"]] < 0.5 for other in kept):
            kept.append(hit)
    assert few == kept[:6]
    assert few != every[:6]


def test_a_beginning_that_several_ids_have_is_refused_by_similar(made):
    with pytest.raises(InputError, match=r"'t': begins more than 3 ids \('t\d\d', .*; give more"):
        Workspace(made).view("topic").similar("t")


def test_a_filter_selects_rows_and_does_nothing_else(made):
    view = Workspace(made).view("topic")
    hits = view.hits("login", k=50, where="stars >= 3 AND channel <> 'phone'")
    assert hits
    assert all(hit["stars"] >= 3 and hit["channel"] != "phone" for hit in hits)
    for where in (
        "1 = 1; DROP TABLE base",
        "1 = 1 -- x",
        "nope = 1",
        "stars >=",
        "id IN (SELECT 1)",
    ):
        with pytest.raises(InputError, match="--where"):
            view.hits("login", where=where)
    assert len(view.hits("login", k=100)) == 72


def test_a_view_that_does_not_exist_is_named_with_those_that_do(made):
    with pytest.raises(InputError, match=r"'colour': there is none; expected one of: base, mood"):
        Workspace(made).view("colour")


def test_an_export_holds_the_view_that_search_reads(made, tmp_path):
    view = Workspace(made).view("mood")
    assert view.export(tmp_path / "mood.parquet") == 72
    assert pl.read_parquet(tmp_path / "mood.parquet").equals(view.frame())
    view.export(tmp_path / "mood.npy")
    vectors = np.load(tmp_path / "mood.npy", allow_pickle=False)
    ids = json.loads((tmp_path / "mood.ids.json").read_text())
    np.testing.assert_array_equal(vectors, view.vectors())
    assert ids == view.frame()["id"].to_list()


def test_an_export_that_fails_leaves_nothing(made, tmp_path):
    view = Workspace(made).view("mood")
    for file in (tmp_path / "no" / "x.parquet", tmp_path / "x.txt"):
        with pytest.raises(InputError, match="expected a"):
            view.export(file)
    (tmp_path / "x.npy").mkdir()
    with pytest.raises(InputError, match="found a folder"):
        view.export(tmp_path / "x.npy")
    assert [path.name for path in tmp_path.iterdir() if path.name not in ("made", "x.npy")] == []
