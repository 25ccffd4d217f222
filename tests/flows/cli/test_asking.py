"""Columns that `ingest` is told, or asks for on a terminal, and what params.yaml keeps of them."""

import polars as pl
import pytest
from click.testing import CliRunner

from flows.cli import asking
from flows.cli.verbs import cli
from flows.init import make_workspace
from tasks.core.readers.columns import NoTextError
from tasks.core.settings.params import load_params
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths
from tests.corpora import corpus_rows

LONG = "The bank has charged me twice for one and the same transfer, number"
CALLED = "refract ingest --text Complaint"


@pytest.fixture
def shop(tmp_path):
    make_workspace(tmp_path / "shop", git=False)
    rows = {
        "Complaint ID": [f"c{n}" for n in range(12)],
        "Issue": [f"a fee that is not clear, case {n}" for n in range(12)],
        "Complaint": [f"{LONG} {n}" for n in range(12)],
    }
    pl.DataFrame(rows).write_csv(tmp_path / "complaints.csv")
    return tmp_path / "shop"


def ingest(root, *arguments, answer=None):
    file = [str(root.parent / "complaints.csv")] if "--none" not in arguments else []
    given = [each for each in arguments if each != "--none"]
    return CliRunner().invoke(
        cli, ["ingest", *file, *given, "--root", str(root)], input=answer, catch_exceptions=False
    )


def settings(root):
    return load_params(Paths(root).params).ingest


def test_columns_that_are_named_are_used_and_kept_beside_their_comments(shop):
    done = ingest(shop, "--text", "Complaint", "--id", "Complaint ID")
    assert done.exit_code == 0
    assert "params.yaml: ingest.text is 'Complaint' now" in done.output
    assert "params.yaml: ingest.id is 'Complaint ID' now" in done.output
    assert "\n  columns kept beside id and text: 'Issue'\n" in done.output
    corpus = corpus_rows(shop)
    assert corpus["id"][0] == "c0"
    assert corpus["text"][0] == f"{LONG} 0"
    line = "  text: Complaint  # column of the text; null: detect\n"
    assert line in Paths(shop).params.read_text()
    assert "nothing to do" in ingest(shop, "--none").output


def test_where_nobody_can_be_asked_the_refusal_names_the_candidates(shop):
    with pytest.raises(NoTextError) as refusal:
        ingest(shop)
    said = str(refusal.value)
    assert (
        "found no text column among 'Complaint ID', 'Issue', 'Complaint'; expected one of" in said
    )
    assert said.endswith(f"name yours, such as '{CALLED}'; texts are in 'Issue', too")
    assert not any(Paths(shop).raw.iterdir())


def test_on_a_terminal_the_longest_texts_are_offered(shop, monkeypatch):
    monkeypatch.setattr(asking, "is_terminal", lambda: True)
    done = ingest(shop, answer="\n")
    assert done.exit_code == 0
    assert "column of the texts (Complaint, Issue) [Complaint]" in done.output
    assert settings(shop).text == "Complaint"


def test_another_column_may_be_chosen(shop, monkeypatch):
    monkeypatch.setattr(asking, "is_terminal", lambda: True)
    ingest(shop, answer="Issue\n")
    assert settings(shop).text == "Issue"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--text", "Complain"], r"expected 'Complain', which params.yaml: ingest.text names"),
        (["--id", "Nr", "--text", "Issue"], r"expected 'Nr', which params.yaml: ingest.id names"),
    ],
)
def test_a_column_that_no_file_has_is_not_kept(shop, arguments, message):
    before = Paths(shop).params.read_bytes()
    with pytest.raises(InputError, match=message):
        ingest(shop, *arguments)
    assert Paths(shop).params.read_bytes() == before


def test_documents_that_are_there_must_have_the_column_as_well(shop):
    (Paths(shop).raw / "older.csv").write_text("text\nsome words of before\n")
    with pytest.raises(InputError, match=r"older.csv: found columns 'text'; expected 'Complaint'"):
        ingest(shop, "--text", "Complaint")
    assert settings(shop).text is None


def test_what_is_there_already_can_be_read_by_another_column(shop):
    ingest(shop, "--text", "Complaint")
    done = ingest(shop, "--none", "--text", "Issue")
    assert "params.yaml: ingest.text is 'Issue' now" in done.output
    assert corpus_rows(shop)["text"][0].startswith("a fee")
