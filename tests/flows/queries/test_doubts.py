"""`refract doubts` on a real workspace."""

import json
import re

import pytest
from click.testing import CliRunner

from flows import Workspace
from flows.cli.verbs import cli
from flows.queries.report import report
from tasks.core.transforms.training_set import Labelled
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths
from tests.world import documents, set_params, write_labels


def refract(root, *arguments):
    return CliRunner().invoke(
        cli, ["doubts", *arguments, "--root", str(root)], catch_exceptions=False
    )


@pytest.fixture
def mistaken(pooled):
    """A workspace in which two labels of the mood are wrong."""
    rows = documents()
    for row in rows:
        if row["id"] in ("t04", "t41"):
            row["mood"] = {"angry": "glad", "glad": "angry"}[row["mood"]]
    write_labels(pooled, "mood", rows)
    return pooled


def test_labels_that_are_wrong_come_first_with_the_right_one(mistaken):
    found = json.loads(refract(mistaken, "mood", "--json").output)
    assert (found["instruction"], found["asked"], found["not_asked"]) == ("mood", 72, 0)
    assert {row["id"] for row in found["rows"][:2]} == {"t04", "t41"}
    truth = {row["id"]: row["mood"] for row in documents()}
    for row in found["rows"][:2]:
        assert row["likelier"] == truth[row["id"]] not in row["label"]
        assert row["p_label"] < row["p_likelier"]
    assert found["doubted"] == len(found["rows"])


def test_the_list_is_a_table_of_so_many_rows(mistaken):
    said = refract(mistaken, "mood", "--limit", "1").output
    assert re.search(r"mood: \d+ of 72 labels are in doubt", said)
    assert len(re.findall(r"\bt\d\d\b", said)) == 1
    assert "correct those that are wrong where your labels are, then: refract run" in said


def test_nothing_in_doubt_is_said_in_a_line(pooled):
    said = refract(pooled, "topic").output
    assert re.fullmatch(r"topic: 0 of 48 labels are in doubt[^\n]*\n", said)


def test_python_has_the_same_rows(mistaken):
    frame = Workspace(mistaken).view("mood").doubts(1)
    assert frame.columns == ["id", "label", "likelier", "p_label", "p_likelier", "margin", "text"]
    assert frame["id"][0] in ("t04", "t41")


def test_the_report_shows_them(mistaken):
    report(mistaken, "mood")
    page = Paths(mistaken).report("mood").read_text("utf-8")
    section = page.split('<section id="doubts">')[1].split("</section>")[0]
    assert "Labels that may be wrong" in section
    assert "t04" in section
    assert "t41" in section


def unable(*_):
    raise AssertionError("a fit was asked")


def test_what_was_found_is_not_found_anew_until_labels_or_settings_change(mistaken, monkeypatch):
    report(mistaken, "mood")
    page = Paths(mistaken).report("mood").read_text("utf-8")
    with monkeypatch.context() as patched:
        patched.setattr(Labelled, "fit", unable)
        asked = refract(mistaken, "mood", "--json").output
        report(mistaken, "mood")
    assert Paths(mistaken).report("mood").read_text("utf-8") == page
    Paths(mistaken).doubts("mood").unlink()
    assert refract(mistaken, "mood", "--json").output == asked
    rows = documents()
    for change in (lambda: write_labels(mistaken, "mood", rows), lambda: set_seed(mistaken, 7)):
        change()
        with monkeypatch.context() as patched:
            patched.setattr(Labelled, "fit", unable)
            with pytest.raises(AssertionError, match="a fit was asked"):
                refract(mistaken, "mood")
            with pytest.raises(AssertionError, match="a fit was asked"):
                report(mistaken, "mood")
        refract(mistaken, "mood")
        report(mistaken, "mood")


def set_seed(root, seed):
    set_params(root, fit={"seed": seed})


def test_a_note_that_cannot_be_written_or_read_is_no_fault(mistaken):
    place = Paths(mistaken).doubts("mood")
    place.parent.parent.mkdir(exist_ok=True)
    place.parent.write_text("no folder")
    first = refract(mistaken, "mood", "--json").output
    place.parent.unlink()
    refract(mistaken, "mood")
    note = json.loads(place.read_text())
    place.write_text(json.dumps(note | {"found": note["found"] | {"listed": [{"id": 7}]}}))
    assert refract(mistaken, "mood", "--json").output == first


def test_an_instruction_without_labels_is_refused(made):
    message = r"'tone': found no labels; expected labels and vectors; known: mood, topic; put"
    with pytest.raises(InputError, match=message):
        refract(made, "tone")


def test_labels_that_leave_no_text_out_are_refused(made):
    write_labels(made, "mood", [documents()[0], documents()[23]])
    with pytest.raises(InputError, match="found no text that could be left out; expected two"):
        refract(made, "mood")
