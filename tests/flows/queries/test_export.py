"""`refract export`: what a file or folder holds of a view."""

import sys

import polars as pl
import pytest

from flows.cli.show.judgements import suggestions
from flows.queries.maps import maps_of
from flows.state.live_transform import live_rows
from refract import Workspace
from tasks.core.report.maps import atlas
from tasks.core.settings.params import load_params
from tasks.core.transforms.card import read_card
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths
from tests.children import refract

pytestmark = pytest.mark.server


def test_a_map_in_an_export_is_that_of_the_report(made, tmp_path):
    view = Workspace(made).view("mood")
    assert view.export(tmp_path / "mood.parquet", mapped=True) == 72
    rows = pl.read_parquet(tmp_path / "mood.parquet")
    assert rows.drop("x", "y").equals(view.frame())
    paths, params = Paths(made), load_params(Paths(made).params)
    maps = maps_of(paths, params, "mood")
    drawn = atlas(paths.base_table, live_rows(paths, "mood"), maps, {}, params.fit.seed)
    places = rows.sort("id").select("x", "y").to_numpy()
    assert rows.sort("id")["id"].equals(drawn.texts["id"])
    assert (places == drawn.after).all()


def test_a_name_without_an_ending_is_a_dataset(made, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", sys.argv)
    folder = tmp_path / "mood"
    refract("export", "mood", str(folder), "--root", str(made))
    assert f"{folder}: 72 rows, a Hugging Face dataset" in capsys.readouterr().out
    view = Workspace(made).view("mood")
    assert pl.read_parquet(folder / "data" / "*.parquet").equals(view.frame())
    card, kept = (folder / "README.md").read_text(), read_card(Paths(made).transform("mood"))
    assert all(f"'{n}': {label}\n" in card for n, label in enumerate(kept.labels))
    assert kept.fingerprint in card
    assert str(tmp_path) not in card


@pytest.mark.parametrize(
    "place",
    [
        *("labels/mood.csv", "labels/new", "raw/more.parquet", "views/x"),
        *("metrics/x.csv", "metrics/scores/x.csv", "quarantine/x.csv"),
    ],
)
def test_an_export_is_no_label_file_and_no_document(made, place):
    data = made / "data"
    before = {path: path.read_bytes() for path in (data / "labels").rglob("*") if path.is_file()}
    with pytest.raises(InputError, match=r"found a place in data/\w+, which Refract \w+; expected"):
        Workspace(made).view("mood").export(data / place)
    after = {path: path.read_bytes() for path in (data / "labels").rglob("*") if path.is_file()}
    assert after == before
    assert not (data / place).exists() or data / place in before


def test_what_cannot_be_exported_is_told_before_any_work(made, tmp_path):
    view = Workspace(made).view("mood")
    with pytest.raises(InputError, match=r"ending in .parquet, .csv, .npy, or one without"):
        view.export(tmp_path / "mood.xlsx")
    with pytest.raises(InputError, match=r"holds vectors alone; expected .parquet or .csv"):
        view.export(tmp_path / "mood.npy", mapped=True)


def test_a_command_says_how_many_texts_got_a_quote(capsys):
    rows = pl.DataFrame({"id": ["1", "2"], "label": ["", ""], "text": ["@you hi", "plain"]})
    suggestions(rows, "csv")
    said = capsys.readouterr()
    assert "'@you hi" in said.out
    assert "suggest: 1 text that" in said.err
    assert "--format jsonl" in said.err
    suggestions(rows, "jsonl")
    said = capsys.readouterr()
    assert "'@you hi" not in said.out
    assert said.err == ""
