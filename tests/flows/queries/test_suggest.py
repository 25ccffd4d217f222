"""Suggestions as a data team uses them: a file that is filled in and dropped in."""

import csv
import io
import json

import polars as pl
import pytest
from click.testing import CliRunner

from flows import Workspace
from flows.cli.show.judgements import suggestions
from flows.cli.verbs import cli
from tasks.core.encoding import base_table
from tasks.core.labels.files import label_file
from tasks.core.labels.reader import EMPTY_LABEL, read_labels
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths
from tests.world import documents, write_csv, write_labels


def printed(root, *arguments):
    done = CliRunner().invoke(cli, ["suggest", *arguments, "--root", str(root)])
    assert done.exit_code == 0, done.output
    return done.stdout


def labelled(root, name):
    return set(pl.read_csv(Paths(root).labels / f"{name}.csv")["id"])


def test_a_filled_file_is_a_label_file_and_what_stays_empty_is_counted(made):
    rows = list(csv.DictReader(io.StringIO(printed(made, "topic", "-n", "15"))))
    truth = {row["id"]: row["topic"] for row in documents()}
    assert len(rows) == 15
    for row in rows[:12]:
        row["label"] = truth[row["id"]]
    file = write_csv(Paths(made).labels / "topic.csv", rows, list(rows[0]))
    found = read_labels(label_file(file, "topic"), base_table.keys(Paths(made).base_table), 10)
    assert dict(zip(found.ids, found.labels, strict=True)) == {
        row["id"]: row["label"] for row in rows[:12]
    }
    assert found.reasons == {EMPTY_LABEL: 3}


def test_the_first_two_columns_of_a_filled_file_can_be_appended_to_the_label_file(made):
    before = labelled(made, "topic")
    lines = printed(made, "topic", "-n", "5").splitlines()
    first = [line.split(",")[:2] for line in lines]
    assert first[0] == ["id", "label"]
    file = Paths(made).labels / "topic.csv"
    file.write_text(file.read_text() + "".join(f"{key},refund\n" for key, _ in first[1:]))
    found = read_labels(label_file(file, "topic"), base_table.keys(Paths(made).base_table), 10)
    assert set(found.ids) == before | {key for key, _ in first[1:]}
    assert found.reasons == {}


def test_texts_are_drawn_at_random_where_they_are_to_prove_a_view(made):
    rows = list(csv.DictReader(io.StringIO(printed(made, "topic", "-n", "9", "--random"))))
    assert {row["why"] for row in rows} == {"drawn at random"} and len(rows) == 9
    assert not {row["id"] for row in rows} & labelled(made, "topic")
    arguments = ["suggest", "topic", "--random", "--novel", "0.5", "--root", str(made)]
    refused = CliRunner().invoke(cli, arguments).exception
    assert isinstance(refused, InputError) and "expected one of them" in str(refused)


def test_what_the_label_file_names_now_or_the_view_was_made_from_is_not_suggested(made):
    before = labelled(made, "mood")
    others = [row for row in documents() if row["id"] not in before]
    write_labels(made, "mood", others[:9])
    found = Workspace(made).view("mood").suggest(100)
    assert set(found["id"]) == {row["id"] for row in others[9:]}


def test_texts_that_are_labelled_by_their_words_are_not_suggested(made):
    rows = [row for row in documents() if row["id"] not in labelled(made, "mood")]
    write_csv(
        Paths(made).labels / "mood.csv",
        [{"text": row["text"], "label": row["mood"]} for row in rows[:6]],
        ["text", "label"],
    )
    found = Workspace(made).view("mood").suggest(100)
    assert set(found["id"]) == {row["id"] for row in rows[6:]}


def test_suggestions_are_the_same_again_as_csv_and_as_json_lines(made):
    shown = printed(made, "mood", "-n", "8")
    assert shown == printed(made, "mood", "-n", "8")
    lines = printed(made, "mood", "-n", "8", "--format", "jsonl").splitlines()
    ids = [row["id"] for row in csv.DictReader(io.StringIO(shown))]
    assert [json.loads(line)["id"] for line in lines] == ids
    assert json.loads(lines[0])["label"] is None


def test_where_nothing_is_left_to_label_one_is_told(made):
    write_labels(made, "mood", documents())
    with pytest.raises(InputError, match="every text of it is labelled"):
        Workspace(made).view("mood").suggest()
    with pytest.raises(InputError, match="has no labels; expected an instruction"):
        Workspace(made).view("base").suggest()


def test_of_an_instruction_without_a_view_texts_are_suggested_that_cover_the_corpus(made):
    shown = printed(made, "urgency", "-n", "12")
    rows = list(csv.DictReader(io.StringIO(shown)))
    truth = {row["id"]: row["topic"] for row in documents()}
    assert {row["why"] for row in rows} == {"covers the corpus"}
    assert len({row["text"] for row in rows}) == 12
    assert {truth[row["id"]] for row in rows} == {"delivery", "refund", "account"}
    assert shown == printed(made, "urgency", "-n", "12")
    write_csv(
        Paths(made).labels / "urgency.csv",
        [{"id": row["id"], "label": "high"} for row in rows],
        ["id", "label"],
    )
    later = Workspace(made).suggest("urgency", 100)
    assert not {row["id"] for row in rows} & set(later["id"])


def test_tasks_for_tools_are_made_without_a_view_as_well(made):
    tasks = json.loads(printed(made, "urgency", "-n", "3", "--format", "label-studio"))
    assert [task["predictions"] for task in tasks] == [[], [], []]


def test_a_name_that_no_instruction_may_have_gets_no_suggestions(made):
    with pytest.raises(InputError, match="expected 1 to 63 of a-z"):
        Workspace(made).suggest("../topic")


def test_an_instruction_named_like_a_column_still_gets_its_labels_from_label(made, monkeypatch):
    from flows.queries import suggest

    monkeypatch.setattr(suggest, "_known", lambda paths, name: set())
    monkeypatch.setattr(Paths, "view_table", lambda self, name: self.views / "mood.lance")
    monkeypatch.setattr(Paths, "view_stamp", lambda self, name: self.views / "mood.json")
    found = suggest.suggest(Paths(made), "novelty", 3)
    assert "novelty_" in found.columns
    assert "novelty" not in found.columns
    assert found["label"].to_list() == [None] * 3


def as_label_studio(tasks, truth):
    """Return the JSON that Label Studio exports once somebody has answered the tasks."""
    for number, task in enumerate(tasks):
        prediction = task["predictions"][0]["result"][0]
        answer = prediction | {"value": {"choices": [truth[task["data"]["doc_id"]]]}}
        done = {"id": number, "completed_by": 1, "was_cancelled": False, "result": [answer]}
        task |= {"id": number + 1, "annotations": [done]}
    return json.dumps(tasks)


def as_minimal(tasks, truth):
    """Return the same as JSON-MIN, in which the tool's own id is the one called `id`."""
    rows = [
        task["data"]
        | {"id": number + 1, "mood": truth[task["data"]["doc_id"]], "annotator": 1}
        | {"annotation_id": number, "lead_time": 2.0, "created_at": "2026-11-26T10:00:00Z"}
        for number, task in enumerate(tasks)
    ]
    return json.dumps(rows)


def as_doccano(tasks, truth):
    """Return what doccano exports: its id, the text, labels, comments and the metadata."""
    rows = [
        {"id": n + 1, **task, "label": [truth[task["doc_id"]]], "Comments": []}
        for n, task in enumerate(tasks)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


def as_prodigy(tasks, truth):
    """Return what `prodigy db-out` writes after the interface `choice`."""
    rows = [
        task | {"accept": [truth[task["doc_id"]]], "answer": "accept", "_input_hash": n}
        for n, task in enumerate(tasks)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


ROUND_TRIPS = {
    "label-studio": ("x.json", as_label_studio, "a Label Studio export: 12 annotations"),
    "label-studio, JSON-MIN": ("x.json", as_minimal, "a Label Studio export: 12 annotations"),
    "doccano": ("x.jsonl", as_doccano, "a doccano export: 12 texts"),
    "prodigy": ("x.jsonl", as_prodigy, "a Prodigy export: 12 answers"),
}


@pytest.mark.parametrize("name", ROUND_TRIPS)
def test_what_a_tool_makes_of_its_tasks_is_read_back(made, tmp_path, name):
    file, answered, line = ROUND_TRIPS[name]
    form = name.split(",")[0]
    text = printed(made, "mood", "-n", "12", "--format", form)
    tasks = json.loads(text) if form == "label-studio" else list(map(json.loads, text.splitlines()))
    truth = {row["id"]: row["mood"] for row in documents()}
    (tmp_path / file).write_text(answered(tasks, truth))
    keys = base_table.keys(Paths(made).base_table)
    texts = base_table.texts(Paths(made).base_table)
    found = read_labels(label_file(tmp_path / file, "mood"), keys, 10, texts=texts)
    assert len(tasks) == len(found.ids) == 12
    assert found.label_of == {key: truth[key] for key in found.ids}
    assert (found.read_as, found.reasons) == ((f"read as {line}",), {})


def test_tasks_carry_what_the_view_would_say_and_the_labels_to_choose_from(made):
    done = CliRunner().invoke(
        cli, ["suggest", "mood", "-n", "3", "--format", "label-studio", "--root", str(made)]
    )
    guess = json.loads(done.stdout)[0]["predictions"][0]
    assert guess["result"][0]["value"]["choices"][0] in ("angry", "glad")
    assert 0 < guess["score"] <= 1
    choices = '<Choice value="angry"/><Choice value="glad"/></Choices></View>'
    assert done.stderr.startswith("labelling interface for it: <View>")
    assert done.stderr.endswith(f"{choices}\n")
    task = json.loads(printed(made, "mood", "-n", "1", "--format", "prodigy"))
    assert [option["id"] for option in task["options"]] == ["angry", "glad"]


@pytest.mark.parametrize("form", ["csv", "jsonl", "label-studio", "doccano", "prodigy"])
def test_line_breaks_of_a_text_are_in_every_format(form, capsys):
    text = 'Dear all,\n\n\tit is  late; "very"\r\nYours'
    row = {"id": "m1", "label": None, "suggested": "late", "confidence": 0.5, "novelty": 0.1}
    suggestions(pl.DataFrame([row | {"why": "boundary", "text": text}]), form, "topic", ["late"])
    said = capsys.readouterr().out
    if form == "csv":
        assert next(csv.DictReader(io.StringIO(said, newline="")))["text"] == text
    else:
        assert json.dumps(text)[1:-1] in said
