"""Labels that land on the wrong texts, and what a person is told of labels that cannot be used."""

import os
import random

import pytest
from click.testing import CliRunner

from flows import Workspace
from flows.cli.verbs import cli
from flows.run import run
from tasks.core.evaluation.proof import PROVEN
from tasks.core.labels.notes import BY_TEXT
from tasks.core.transforms.card import read_card
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import read_json
from tasks.core.workspace.paths import Paths
from tests.world import documents, make_world, write_csv, write_documents, write_labels

ROWS = [{**row, "id": str(n)} for n, row in enumerate(documents(), 1)]


@pytest.fixture
def numbered(tmp_path, tiny_model):
    """A corpus with ids 1 to 72, and a label file with those ids in another order."""
    root = make_world(tmp_path / "world", str(tiny_model), method="auto")
    (root / "data" / "labels" / "mood.csv").unlink()
    write_documents(root, ROWS)
    others = random.Random(1).sample(ROWS, 60)
    exported = [
        {"id": str(n), "text": row["text"], "label": row["topic"]}
        for n, row in enumerate(others, 1)
    ]
    write_csv(root / "data" / "labels" / "topic.csv", exported, ["id", "text", "label"])
    return root


def test_labels_are_those_of_their_texts_although_the_tool_s_ids_are_ids_of_the_corpus(numbered):
    (report,) = run(numbered).fit.fitted
    assert report.texts == 60
    assert report.notes[BY_TEXT] > 50
    assert not report.reasons
    assert report.gate.state == PROVEN
    rows = Workspace(numbered).view("topic").frame()
    truth = {row["id"]: row["topic"] for row in ROWS}
    right = sum(truth[key] == label for key, label in rows.select("id", "label").iter_rows())
    assert right >= 65
    said = CliRunner().invoke(cli, ["status", "--root", str(numbered)]).output
    assert f"topic, noted: {BY_TEXT} {report.notes[BY_TEXT]}" in said


def test_labels_under_the_ids_of_other_texts_make_no_view(numbered):
    topics = [row["topic"] for row in ROWS]
    random.Random(2).shuffle(topics)
    wrong = [{**row, "topic": topic} for row, topic in zip(ROWS, topics, strict=True)]
    write_labels(numbered, "topic", wrong)
    outcome = run(numbered).fit
    assert not outcome.fitted
    assert "labels that have nothing to do with their texts" in outcome.rejected["topic"]
    assert not Paths(numbered).transform("topic").exists()


def test_a_view_that_few_labels_make_is_published_and_marked(pooled):
    write_labels(pooled, "mood", documents()[::6])
    (report,) = run(pooled).fit.fitted
    assert (report.gate.state, report.texts) == ("unproven", 12)
    paths = Paths(pooled)
    assert read_card(paths.transform("mood")).gate.state == "unproven"
    assert read_json(paths.metric("mood"))["gate"]["why"] == report.gate.why
    said = CliRunner().invoke(cli, ["status", "--root", str(pooled)]).output
    assert said.count("unproven") == 2  # in the table, and why
    assert "mood is unproven: " in said


def fitted(root, *names):
    return CliRunner().invoke(cli, ["fit", *names, "--root", str(root)])


def test_fit_names_each_label_file_that_cannot_be_used_and_ends_with_2(made, monkeypatch):
    (made / "data" / "labels" / "mood.csv").write_text("id,label\n")
    (made / "data" / "labels" / "notes.xlsx").write_text("x")
    for _ in range(2):  # the second time nothing is stale, and it is no more usable than before
        done = fitted(made)
        assert isinstance(done.exception, InputError)
        assert str(done.exception) == "2 label files cannot be used, see above"
        notes, mood = [line for line in done.output.splitlines() if "rejected, " in line]
        assert "mood.csv: found 0 usable of 0 rows" in mood
        assert "notes.xlsx: found a file of format '.xlsx'" in notes
    assert isinstance(fitted(made, "topic").exception, type(None))
    monkeypatch.setenv("DVC_STAGE", "fit")  # `dvc repro` goes on to the other views
    done = fitted(made)
    assert done.exit_code == 0
    assert "fit mood: rejected, " in done.output


def test_fit_names_the_labels_that_it_notes(made):
    rows = [{**row, "mood": "Glad" if n == 1 else row["mood"]} for n, row in enumerate(documents())]
    write_labels(made, "mood", rows)
    said = fitted(made, "mood").output
    assert "label that another spells in other capitals ('Glad', 'glad') 2" in said
    assert "label with a single text ('Glad') 1" in said


def test_a_truth_file_that_is_a_pipe_is_refused_and_not_waited_for(made):
    pipe = made / "truth.csv"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match=r"truth.csv: found a pipe, socket or device"):
        Workspace(made).view("mood").evaluate(pipe)


def test_a_truth_file_goes_by_its_texts_too_and_says_so(made):
    rows = [row for n, row in enumerate(documents()) if n % 3 == 2]
    exported = [
        {"id": str(n), "text": f" {row['text']}\r\n", "label": row["mood"]}
        for n, row in enumerate(rows)
    ]
    truth = write_csv(made / "truth.csv", exported, ["id", "text", "label"])
    found = Workspace(made).view("mood").evaluate(truth)
    assert found.texts == len(rows)
    assert found.noted[BY_TEXT] == len(rows)
