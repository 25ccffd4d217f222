"""What there is, as the service tells it."""

import json
import shutil

from flows.explore.overview import known_as
from tasks.core.workspace.paths import Paths
from tests.commands import refract
from tests.world import write_csv


def test_the_generic_space_is_the_first_and_each_view_has_its_figures(explored):
    found = explored.get("/views").json
    assert found["corpus"]["texts"] == 72 and found["min_rows"] == 10
    assert found["known_as"] == known_as(Paths(explored.root))
    columns = {"channel": "string", "stars": "integer"}
    assert {each["name"]: each["type"] for each in found["corpus"]["columns"]} == columns
    base, mood, topic = found["views"]
    assert (base["name"], base["rows"], base["labels"]) == ("base", 72, [])
    assert (mood["name"], topic["name"]) == ("mood", "topic")
    assert mood["counts"].keys() == {"angry", "glad"} and sum(mood["counts"].values()) == 72
    known = json.loads(refract(explored.root, "status", "--json").out)["instructions"]["mood"]
    assert mood["scores"]["after"] == known["after"]
    assert mood["scores"]["before"] == known["before"]
    assert mood["scores"]["right"] == known["right"]
    assert mood["scores"]["intervals"] == known["intervals"]
    assert mood["scores"]["intervals"].keys() == {"right", "v_measure", "triplets", "knn"}
    for name, figure in {**known["after"], "right": known["right"]}.items():
        if name in known["intervals"]:
            bounds = known["intervals"][name]
            assert 0 <= bounds["low"] <= figure <= bounds["high"] <= 100
    assert mood["gate"]["state"] == known["gate"]["state"]
    assert mood["labelled"] == known["texts"] and mood["labels_needed"] is None


def test_a_workspace_has_a_name_that_none_elsewhere_has_nor_a_later_one_in_its_place(tmp_path):
    first, copied = Paths(tmp_path / "first"), Paths(tmp_path / "copied")
    name = known_as(first)
    assert known_as(first) == name
    shutil.copytree(first.root, copied.root)
    assert known_as(copied) != name
    shutil.rmtree(first.root)
    assert known_as(first) != name


def test_one_view_names_the_columns_that_it_can_be_filtered_by(explored):
    found = explored.get("/views/mood").json
    assert [each["name"] for each in found["metadata"]] == ["channel", "stars"]
    assert explored.get("/views/base").json["rows"] == 72


def test_an_instruction_with_few_labels_says_how_many_it_needs(explored):
    rows = [{"id": "t01", "label": "late"}, {"id": "t02", "label": "fine"}]
    file = write_csv(Paths(explored.root).labels / "pace.csv", rows, ["id", "label"])
    try:
        found = {each["name"]: each for each in explored.get("/views").json["views"]}["pace"]
    finally:
        file.unlink()
    assert found["rows"] == 0 and found["labelled"] == 2
    assert found["labels_needed"] == {"found": 2, "expected": 10, "classes": 2, "why": ""}
    assert "pace" not in explored.get("/views").body.decode()


def test_a_view_that_is_not_there_is_one_line(explored):
    for name in ("nope", "..", "%2e%2e", "a%2fb", "x" * 5_000, "%F0%9F%98%80", "MOOD"):
        reply = explored.get(f"/views/{name}")
        assert reply.status == 404, name
        assert "\n" not in reply.detail and "did you mean" not in reply.detail
    for path in ("", "/labels", "/rows", "/search?q=x", "/similar/t01"):
        reply = explored.get(f"/views/moood{path}")
        assert reply.status == 404 and reply.detail.count("(did you mean 'mood'?)") == 1, path


def test_settings_that_are_gone_are_one_line_until_they_are_back(explored):
    settings = Paths(explored.root).params
    settings.rename(settings.with_suffix(".away"))
    try:
        replies = [explored.get(f"/views/{path}") for path in ("mood/labels", "mood/rows")]
    finally:
        settings.with_suffix(".away").rename(settings)
    assert {reply.status for reply in replies} == {400}
    assert all("params.yaml: not found" in reply.detail for reply in replies)
    assert explored.get("/views/mood/rows").status == 200
