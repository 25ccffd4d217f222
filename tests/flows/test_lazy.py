"""Views that store no row, from the command line's point of view: made, changed, asked, killed."""

import json
import shutil

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from prefect.settings import PREFECT_API_URL

from flows import Workspace
from flows.checkout import checkout
from flows.cli.verbs import cli
from flows.materialise import materialise
from flows.queries.diff import diff
from flows.queries.versions import view_versions
from flows.rollback import rollback
from flows.run import run
from flows.state.staleness import FRESH, Verdict
from flows.state.status import read_status
from tasks.core.settings import params as settings
from tasks.core.settings.instruction_section import Instruction
from tasks.core.settings.params import load_params, render_params
from tasks.core.store import tables
from tasks.core.workspace.paths import Paths
from tests.flows.history import git, seen
from tests.kills import killed_at, operations
from tests.same import assert_same
from tests.world import documents, set_params, write_documents, write_labels

pytestmark = pytest.mark.server
QUERY = "thank you, the parcel is late"


def state(root, name="mood"):
    paths = Paths(root)
    return read_status(paths, load_params(paths.params)).instructions[name]


def stored(root, name="mood"):
    """Return how many rows readers find in the table of a view."""
    table = Paths(root).view_table(name)
    return tables.count(table, tables.live_version(table))


def of_its_own(root, name, mode):
    """Give one instruction a mode of its own."""
    path = Paths(root).params
    own = {name: Instruction(materialise=mode)}
    path.write_text(render_params(load_params(path).model_copy(update={"instructions": own})))


def bytes_of(root, name="mood"):
    files = Paths(root).view_table(name).rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


@pytest.fixture(scope="module")
def _lazy(_made, tmp_path_factory):
    root = shutil.copytree(_made, tmp_path_factory.mktemp("lazy") / "world")
    set_params(root, materialise={"mode": "lazy"})
    run(root)
    return root


@pytest.fixture
def lazy(_lazy, tmp_path):
    """A workspace like `made`, of which no view stores a row."""
    return shutil.copytree(_lazy, tmp_path / "lazy")


def test_a_view_that_becomes_lazy_is_stale_says_why_and_keeps_no_row(made):
    assert (state(made).view, state(made).mode, stored(made)) == (FRESH, "full", 72)
    set_params(made, materialise={"mode": "lazy"})
    assert state(made).view == Verdict(True, "is full, and is to be lazy")
    before = Workspace(made).view("mood").hits(QUERY, k=72)
    assert {report.mode for report in run(made).materialise} == {"lazy"}
    assert (state(made).view, state(made).mode, stored(made)) == (FRESH, "lazy", 0)
    assert state(made).rows == 72
    assert bytes_of(made) < 4_000
    found = Workspace(made).view("mood").hits(QUERY, k=72)
    assert [hit["id"] for hit in found[:5]] == [hit["id"] for hit in before[:5]]
    for key in ("score", "confidence", "novelty"):
        mine, theirs = ({hit["id"]: hit[key] for hit in hits} for hits in (found, before))
        assert mine == pytest.approx(theirs, abs=2e-3)


def test_full_again_it_is_as_if_it_had_never_been_lazy(lazy, _made):
    assert_same(lazy, _made)
    set_params(lazy, materialise={"mode": "full"})
    assert state(lazy).view == Verdict(True, "is lazy, and is to be full")
    run(lazy)
    assert (stored(lazy), stored(lazy, "topic")) == (72, 72)
    assert_same(lazy, _made)


def test_an_instruction_may_be_lazy_alone(made):
    of_its_own(made, "mood", "lazy")
    assert (state(made).view.stale, state(made, "topic").view.stale) == (True, False)
    run(made)
    assert (stored(made), stored(made, "topic")) == (0, 72)


def test_views_are_lazy_by_themselves_from_a_number_of_rows_of_all_of_them_on(made, monkeypatch):
    monkeypatch.setattr(settings, "FROM_ROWS", 145)
    assert state(made).view == FRESH
    monkeypatch.setattr(settings, "FROM_ROWS", 144)
    assert state(made).view == Verdict(True, "is full, and is to be lazy")
    of_its_own(made, "mood", "full")
    assert (state(made).view, state(made, "topic").view.stale) == (FRESH, True)


def test_new_documents_are_in_a_lazy_view_as_soon_as_they_are_encoded(lazy):
    before = bytes_of(lazy)
    first, *_ = rows = documents()
    write_documents(lazy, [*rows, {**first, "id": "new", "text": "the parcel is lovely"}])
    made = run(lazy)
    assert made.materialise == []
    assert (state(lazy).view, state(lazy).rows, bytes_of(lazy)) == (FRESH, 73, before)
    view = Workspace(lazy).view("mood")
    assert view.hits("the parcel is lovely", k=1)[0]["id"] == "new"
    assert "new" in view.frame()["id"]


def test_new_labels_make_a_lazy_view_anew(lazy):
    before = Workspace(lazy).view("mood")
    old = before.hits(QUERY, k=72)
    write_labels(lazy, "mood", documents()[:50])
    assert {report.name: report.mode for report in run(lazy).materialise} == {"mood": "lazy"}
    assert before.hits(QUERY, k=72) != old
    assert before.hits(QUERY, k=72) == Workspace(lazy).view("mood").hits(QUERY, k=72)


def asked(root, *words):
    done = CliRunner().invoke(cli, [*words, "--root", str(root)])
    assert done.exit_code == 0, done.output
    return done.stdout


def ids(said):
    """Return the ids of what was printed as a JSON list, or as JSON line by line."""
    rows = json.loads(said) if said.startswith("[") else map(json.loads, said.splitlines())
    return [row["id"] for row in rows]


def test_every_verb_that_reads_a_view_reads_a_lazy_one(lazy, made, tmp_path):
    assert "up to date, lazy" in asked(lazy, "status") or "unproven, lazy" in asked(lazy, "status")
    assert json.loads(asked(lazy, "status", "--json"))["instructions"]["mood"]["mode"] == "lazy"
    Paths(lazy).doubts("mood").unlink(missing_ok=True)  # it is to find them for itself
    assert asked(lazy, "doubts", "mood", "--json") == asked(made, "doubts", "mood", "--json")
    for words in (
        ("similar", "t03", "--view", "mood", "-k", "5", "--json"),
        ("similar", "t03", "--keep", "topic", "--with", "mood=glad", "-k", "5", "--json"),
        ("search", QUERY, "--view", "mood=2", "--view", "topic=1", "-k", "5", "--json"),
        ("suggest", "mood", "-n", "7", "--format", "jsonl"),
        ("search", QUERY, "--view", "mood", "--where", "label = 'glad'", "-k", "3", "--json"),
        ("search", QUERY, "--view", "mood", "--distinct", "-k", "3", "--json"),
    ):
        full, found = (ids(asked(root, *words)) for root in (made, lazy))
        assert len(found) == len(full)
        assert len(set(found) & set(full)) >= len(full) - 1  # rounded, two may change places
    evaluated = json.loads(asked(lazy, "evaluate", "mood", "--json"))
    assert evaluated["scores"]["view"]["v_measure"]["value"] > 0
    for name in ("mood.parquet", "mood.csv", "mood.npy", "mood"):
        assert "72 rows" in asked(lazy, "export", "mood", str(tmp_path / name))
    mapped = tmp_path / "mapped.parquet"
    asked(lazy, "export", "mood", str(mapped), "--map")
    rows = pl.read_parquet(mapped)
    assert rows.drop("x", "y").equals(Workspace(lazy).view("mood").frame())
    assert np.load(tmp_path / "mood.npy").shape == (72, rows["vector"].dtype.shape[0])
    page = asked(lazy, "report", "mood").splitlines()[-1]
    assert "mood" in page
    assert "72 texts" in Workspace(lazy).view("mood")._repr_html_()
    asked(lazy, "maintain")
    assert (state(lazy).view, stored(lazy)) == (FRESH, 0)


@pytest.mark.dvc
def test_versions_are_recorded_compared_and_brought_back_whether_rows_are_stored_or_not(
    root, seen_at
):
    set_params(root, materialise={"mode": "lazy"})
    assert run(root, commit=True).record.commit
    branch = git(root, "branch", "--show-current")
    lazy = Workspace(root).view("mood").hits(QUERY, k=9)
    assert {name: view.state for name, view in diff(root, "whole/v3", None).views.items()} == {
        "mood": "same",
        "topic": "same",
    }
    against_first = diff(root, "whole/v1", None, ["mood"]).views["mood"]
    assert (against_first.state, against_first.moved.common) == ("new transform", 60)
    checkout(root, "whole/v3")
    assert (seen(root), state(root).mode) == (seen_at["v3"], "full")
    checkout(root, branch)
    assert (Workspace(root).view("mood").hits(QUERY, k=9), state(root).mode) == (lazy, "lazy")
    assert (state(root).view, stored(root)) == (FRESH, 0)
    assert rollback(root, "mood").version == "v1"
    assert (state(root).view, state(root).mode, stored(root)) == (FRESH, "lazy", 0)
    assert next(row.same_as for row in view_versions(Paths(root), "mood")) == "view/mood/v1"
    assert Workspace(root).view("mood").hits(QUERY, k=9) != lazy


def made_anew(root):
    materialise(root)


@pytest.mark.parametrize("mode", ["lazy", "full"])
def test_killed_at_any_moment_readers_see_the_old_view_or_the_new_one(made, _lazy, tmp_path, mode):
    url = PREFECT_API_URL.value()
    before = made if mode == "lazy" else _lazy
    log, whole = tmp_path / "kills.log", shutil.copytree(before, tmp_path / "whole")
    old = Workspace(whole).view("mood").hits(QUERY, k=72)
    set_params(whole, materialise={"mode": mode})
    done = operations(url, whole, log, made_anew)
    new = Workspace(whole).view("mood").hits(QUERY, k=72)
    at = [n for n, what in enumerate(done, 1) if "mood" in what or "anc" in what]
    assert len(at) > 5
    for last in at[:: max(1, len(at) // 4)]:
        root = shutil.copytree(before, tmp_path / f"killed{last}")
        set_params(root, materialise={"mode": mode})
        assert killed_at(url, root, last, made_anew)
        assert Workspace(root).view("mood").hits(QUERY, k=72) in (old, new)
        materialise(root)
        assert (state(root).view, state(root).mode) == (FRESH, mode)
        assert Workspace(root).view("mood").hits(QUERY, k=72) == new
        shutil.rmtree(root)
