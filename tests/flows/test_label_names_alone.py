"""A view from what labels are called: typed, made, said to be unproven, and the start of labels."""

import csv
import re
import shutil

import pytest
from click.testing import CliRunner

from flows import Workspace
from flows.checkout import checkout
from flows.cli.verbs import cli
from flows.fit import fit
from flows.queries.labelled import labelled
from flows.run import run
from flows.state.label_sources import label_sources
from flows.state.staleness import FRESH, fit_fingerprints, fit_verdict
from flows.state.status import read_status
from tasks.core.labels.files import instruction_of
from tasks.core.labels.notes import WAITING
from tasks.core.labels.taxonomy import read_taxonomy
from tasks.core.settings.instruction_section import Instruction
from tasks.core.settings.params import load_params, render_params
from tasks.core.transforms.card import read_card
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths
from tests.world import documents, write_csv, write_labels

WORDS = {
    "delivery": "the parcel, the box, a courier to my door",
    "refund": "my money back, the refund, credit, i returned it",
    "account": "the login page, my password, i cannot log in",
}
LINES = [f"{name}: {said}" for name, said in WORDS.items()]


def refract(root, *arguments):
    return CliRunner().invoke(cli, [*arguments, "--root", str(root)])


def refused(root, *arguments):
    """Return the line that a command ends with, and exit code 2."""
    error = refract(root, *arguments).exception
    assert isinstance(error, InputError), error
    return str(error)


@pytest.fixture(scope="module")
def _named(_pooled, tmp_path_factory):
    """A workspace with an instruction that has names alone, typed and then run."""
    root = shutil.copytree(_pooled, tmp_path_factory.mktemp("names") / "world")
    file = root.parent / "labels.txt"
    file.write_text("\n".join(["# by hand", *LINES, ""]), "utf-8")
    done = refract(root, "fit", "subject", "--classes", str(file))
    assert done.exit_code == 0, done.output
    run(root)
    return root, done.output


@pytest.fixture
def named(_named, tmp_path):
    return shutil.copytree(_named[0], tmp_path / "world")


def verdict(root, name="subject"):
    paths = Paths(root)
    params, file = load_params(paths.params), label_sources(paths)[name]
    return fit_verdict(paths, name, fit_fingerprints(paths, params, name, file))


def right(root, name="subject"):
    """Return the share of all texts whose likeliest label is theirs."""
    out = root / "out.csv"
    assert refract(root, "export", name, str(out)).exit_code == 0
    with out.open(encoding="utf-8") as file:
        found = {row["id"]: row["label"] for row in csv.DictReader(file)}
    return sum(found[row["id"]] == row["topic"] for row in documents()) / len(found)


def test_what_was_typed_is_a_file_that_registers_a_view_and_says_how_little_it_is_made_of(_named):
    root, said = _named
    assert Paths(root).classes("subject").read_text("utf-8").splitlines() == LINES
    assert "data/labels/subject.classes.txt: 3 labels" in said
    assert "fit subject: fitted; 0 texts with 3 labels, auto: pool" in said
    assert "unproven: made of the names of 3 labels alone; label more texts" in said
    assert "scores are rough" not in said and verdict(root) == FRESH
    state = read_status(Paths(root), load_params(Paths(root).params)).instructions["subject"]
    assert (state.texts, state.accuracy, state.rows) == (0, None, len(documents()))
    assert state.gate.state == "unproven" and state.view == FRESH
    assert right(root) > 0.8


def test_all_that_shows_a_view_shows_this_one(named, tmp_path):
    for words in (
        ["search", "where is my parcel", "--view", "subject"],
        ["suggest", "subject", "-n", "2"],
        ["status"],
    ):
        done = refract(named, *words)
        assert done.exit_code == 0, done.output
    done = refract(named, "report", "subject")
    assert done.exit_code == 0, done.output
    assert "found names of labels" in Paths(named).report("subject").read_text("utf-8")
    truth = tmp_path / "truth.csv"
    write_csv(truth, [{"id": r["id"], "label": r["topic"]} for r in documents()], ["id", "label"])
    done = refract(named, "evaluate", "subject", "--truth", str(truth))
    assert done.exit_code == 0 and "72 texts" in done.output, done.output


@pytest.mark.parametrize("verb", ["doubts", "evaluate"])
def test_what_needs_labels_says_in_a_line_that_there_are_none(named, verb):
    said = refused(named, verb, "subject")
    assert "found names of labels, and no text" in said or "found 0 texts to score" in said


def test_labels_that_come_are_learnt_from_and_the_names_stay(named):
    rows = [row for n, row in enumerate(documents()) if n % 3]
    write_labels(named, "topic", rows).rename(Paths(named).labels / "subject.csv")
    assert verdict(named).reason == "its labels changed"
    found = fit(named, ["subject"]).fitted[0]
    assert (found.texts, found.labels, found.gate.state) == (len(rows), 3, "proven")
    assert label_sources(Paths(named))["subject"].classes == Paths(named).classes("subject")
    Paths(named).classes("subject").write_text("delivery\nrefund\naccount: to log in\n", "utf-8")
    assert verdict(named).reason == "its labels changed"
    assert fit(named, ["subject"]).fitted[0].refitted
    (Paths(named).labels / "subject.csv").unlink()
    assert fit(named, ["subject"]).fitted[0].texts == 0


def test_too_few_labels_wait_beside_the_view_of_names_and_are_said_to(named):
    transform = read_card(Paths(named).transform("subject")).fingerprint
    rows = documents()
    write_labels(named, "topic", rows[:4]).rename(Paths(named).labels / "subject.csv")
    done = refract(named, "fit", "subject")
    assert done.exit_code == 0, done.output
    assert "fit subject: kept" in done.output and "unproven: made of the names" in done.output
    assert "noted: " in done.output and f"{WAITING} 4" in done.output
    assert read_card(Paths(named).transform("subject")).fingerprint == transform
    said = refract(named, "status").output
    assert f"subject, noted: {WAITING} 4" in said and "rejected" not in said
    assert verdict(named) == FRESH and not Paths(named).rejection("subject").exists()
    write_labels(named, "topic", rows[::2]).rename(Paths(named).labels / "subject.csv")
    assert fit(named, ["subject"]).fitted[0].texts == 36
    write_labels(named, "topic", rows[:4]).rename(Paths(named).labels / "subject.csv")
    assert "found 4 usable of 4 rows" in refused(named, "fit", "subject")  # of a view by labels
    assert read_card(Paths(named).transform("subject")).counts["delivery"] == 12


def test_names_beside_too_few_labels_make_the_first_view(pooled):
    write_labels(pooled, "topic", documents()[:4]).rename(Paths(pooled).labels / "subject.csv")
    said = refract(pooled, "fit", "subject", "--classes", ", ".join(WORDS))
    assert said.exit_code == 0 and f"{WAITING} 4" in said.output, said.output
    assert read_card(Paths(pooled).transform("subject")).by_names


@pytest.mark.dvc
def test_a_checkout_brings_names_back_with_the_view_that_was_made_of_them(root):
    file = Paths(root).classes("subject")
    file.write_text("\n".join(LINES), "utf-8")
    assert run(root, commit=True).record.commit
    checkout(root, "whole/v3")
    assert not file.exists() and "subject" not in Workspace(root).views
    checkout(root, "view/subject/v1")
    assert [label.name for label in read_taxonomy(file)] == list(WORDS)
    assert read_card(Paths(root).transform("subject")).labels == sorted(WORDS)
    assert verdict(root) == FRESH and "subject" in Workspace(root).views


def test_a_view_of_names_can_be_without_an_aspect(named):
    path, own = Paths(named).params, {"subject": Instruction(without=["mood"])}
    params = load_params(path).model_copy(update={"instructions": own})
    path.write_text(render_params(params), "utf-8")
    made = fit(named, ["subject"]).fitted[0]
    assert made.refitted and made.gate.state == "unproven"
    card = read_card(Paths(named).transform("subject"))
    assert card.by_names and card.aspects == ("mood",) and verdict(named) == FRESH


def test_the_same_names_again_ask_for_nothing(named):
    done = refract(named, "fit", "subject", "--classes", str(Paths(named).classes("subject")))
    assert done.exit_code == 0 and "nothing to do" in done.output, done.output
    shown = read_card(Paths(named).transform("subject"))
    assert shown.counts == dict.fromkeys(WORDS, 0)


def test_labels_in_the_browser_begin_beside_the_names(named):
    paths = Paths(named)
    assert instruction_of(paths.classes("subject"), paths.labels) == "subject"
    posted = paths.posted_labels("subject", "ann")
    posted.parent.mkdir()
    posted.write_text('{"id": "t00", "label": "delivery", "source": "explore"}\n', "utf-8")
    file = label_sources(paths)["subject"]
    assert [part.path for part in file.labelled] == [posted]
    assert file.classes == paths.classes("subject")
    assert labelled(paths, load_params(paths.params), "subject").label_of == {"t00": "delivery"}


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("calm", "found no file 'calm'; expected one with a label a line, or labels parted by"),
        ("calm, ", "found 1 labels; expected at least 2"),
        ("calm, Calm", "line 2: found label 'Calm' a second time"),
        (f"calm, {'x' * 300}", "line 2: found no label before a colon"),
    ],
)
def test_names_of_no_use_are_refused_and_nothing_is_written(named, said, why):
    assert why in refused(named, "fit", "mind", "--classes", said)
    assert not Paths(named).classes("mind").exists()


def test_a_file_of_names_that_cannot_be_read_is_rejected_and_its_view_stays(named):
    Paths(named).classes("subject").write_text("delivery\n", "utf-8")
    assert "found 1 labels; expected at least 2" in refused(named, "fit")
    assert right(named) > 0.8


def test_a_label_that_no_text_has_yet_is_found_by_its_name_until_one_has(named):
    rows = [row for n, row in enumerate(documents()) if n % 3 and row["topic"] != "refund"]
    write_labels(named, "topic", rows).rename(Paths(named).labels / "subject.csv")
    done = refract(named, "fit", "subject")
    assert done.exit_code == 0, done.output
    assert re.search(r"named label that no text has, learnt by its name \(.*refund", done.output)
    run(named)
    assert read_card(Paths(named).transform("subject")).labels == ["account", "delivery", "refund"]
    assert right(named) > 0.8
    assert refract(named, "evaluate", "subject").exit_code == 0
    Paths(named).classes("subject").unlink()
    fit(named, ["subject"])
    assert read_card(Paths(named).transform("subject")).labels == ["account", "delivery"]
