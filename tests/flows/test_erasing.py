"""Views without an aspect, from params.yaml to what one finds: made, changed, refused."""

import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from flows import Workspace
from flows.checkout import checkout
from flows.cli.verbs import cli
from flows.explore.routes.views import views
from flows.explore.service import Service
from flows.fit import fit
from flows.queries.evaluate import evaluate
from flows.queries.report import report
from flows.queries.versions import view_versions
from flows.rollback import rollback
from flows.run import run
from flows.serving import label_runs
from flows.state.label_sources import aspect_files
from flows.state.staleness import FRESH, Verdict
from flows.state.status import read_status
from tasks.core.settings.instruction_section import Instruction
from tasks.core.settings.params import load_params, render_params
from tasks.core.transforms.card import read_card
from tasks.core.transforms.training_set import aspect_labels, concept_of
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths
from tests.lancedb_client import BY_COSINE, answer, found
from tests.world import documents, set_params, write_labels

BARE = "base-without-mood"
CHANGED = Verdict(True, "what it is without changed")


def ask(root, **without):
    """Have views be without aspects, by view; those of mood and base vectors are in any case."""
    path, asked = Paths(root).params, {"mood": ["topic"]} | without
    own = {name: Instruction(without=aspects) for name, aspects in asked.items()}
    own[BARE] = Instruction(method="identity", without=["mood"])
    path.write_text(render_params(load_params(path).model_copy(update={"instructions": own})))


def state(root, name="topic"):
    return read_status(Paths(root), load_params(Paths(root).params)).instructions[name]


def card(root, name="topic"):
    return read_card(Paths(root).transform(name))


def vectors(root, name="topic"):
    """Return the rows of a view by id, float64."""
    rows = Workspace(root).view(name).frame().sort("id")
    return rows["vector"].to_numpy().astype(np.float64)


def told(root, aspect="mood", name="topic"):
    """Return how the generic part of a view goes with the aspect: the largest covariance."""
    paths, fit_settings = Paths(root), load_params(Paths(root).params).fit
    files = aspect_files(paths, name, [aspect])
    labels = aspect_labels(paths.base_table, files, fit_settings)
    concept = concept_of(paths.base_table, labels, fit_settings.seed)
    assert concept.rows.ids == [row["id"] for row in documents()]
    made = card(root, name)
    start = made.erased.start if made.erased else len(made.labels)
    generic = vectors(root, name)[:, start:]
    shares = concept.shares - concept.shares.mean(0)
    return np.abs((generic - generic.mean(0)).T @ shares).max() / len(shares)


@pytest.fixture(scope="module")
def _erased(_pooled, tmp_path_factory):
    root = shutil.copytree(_pooled, tmp_path_factory.mktemp("erased") / "world")
    write_labels(root, BARE, [row | {BARE: row["topic"]} for row in documents()])
    ask(root, topic=["mood"])
    run(root)
    return root


@pytest.fixture
def erased(_erased, tmp_path):
    """A workspace like `pooled`, whose views `topic` and `mood` are without each other."""
    return shutil.copytree(_erased, tmp_path / "erased")


def test_what_a_view_is_without_is_said_and_gone_from_its_generic_part(_erased, _pooled):
    assert (state(_pooled).without, state(_erased).without) == ([], ["mood"])
    assert (state(_erased).transform, state(_erased, "mood").transform) == (FRESH, FRESH)
    assert state(_erased).right == state(_pooled).right is not None
    assert "\n  topic is without mood\n" in refract(_erased, "status").output
    told_by_service = {each.name: each.without for each in views(Service(_erased)).views}
    assert told_by_service == {"base": [], "mood": ["topic"], "topic": ["mood"], BARE: ["mood"]}
    for name, aspect in (("topic", "mood"), ("mood", "topic")):
        assert told(_erased, aspect, name) < 1e-4 < 1e-3 < told(_pooled, aspect, name)
        known = len(card(_pooled, name).labels)
        was, now = vectors(_pooled, name)[:, :known], vectors(_erased, name)[:, :known]
        np.testing.assert_array_equal(now, was)


def test_a_text_is_found_by_its_own_words_and_by_its_id(_erased):
    row = documents()[5]
    view = Workspace(_erased).view("topic")
    hit = next(hit for hit in view.hits(row["text"], k=72) if hit["id"] == row["id"])
    assert hit["score"] == pytest.approx(1, abs=1e-3)
    wanted = [found(_erased, row["text"], "topic")]
    assert answer(BY_COSINE, Paths(_erased).views, row["text"], name="topic") == (wanted)


def test_a_view_of_the_base_vectors_is_these_but_for_what_told_the_aspect(_erased):
    made = card(_erased, BARE)
    assert (made.method, made.aspects, made.erased.of) == ("identity", ("mood",), made.size)
    assert (card(_erased).method, state(_erased, BARE).transform) == ("auto", FRESH)
    base = Workspace(_erased).view().frame().sort("id")["vector"].to_numpy().astype(np.float64)
    now, was = vectors(_erased, BARE), base / np.linalg.norm(base, axis=1, keepdims=True)
    moved = np.linalg.svd(now - was, compute_uv=False)
    kept = made.erased.dimensions
    assert moved[kept] < 0.01 * moved[kept - 1]
    assert told(_erased, name=BARE) < 1e-4
    row = documents()[5]
    hit = next(iter(Workspace(_erased).view(BARE).hits(row["text"], k=1)))
    assert (hit["id"], hit["score"]) == (row["id"], pytest.approx(1, abs=1e-3))


def test_a_lazy_view_has_the_rows_of_a_full_one(erased):
    wanted = vectors(erased)
    set_params(erased, materialise={"mode": "lazy"})
    run(erased)
    assert state(erased).mode == "lazy"
    np.testing.assert_allclose(vectors(erased), wanted, atol=2e-3)


def test_new_labels_of_the_aspect_make_the_view_anew_by_themselves(erased, monkeypatch):
    before = card(erased)
    write_labels(erased, "mood", documents())
    assert state(erased).transform == CHANGED
    monkeypatch.setattr(label_runs, "as_child", lambda: None)  # these tests are no flow run
    label_runs.labels(erased, "mood")  # as the changed file has it, under serve
    assert (state(erased).transform, state(erased, "mood").transform) == (FRESH, FRESH)
    assert (state(erased).view, state(erased, "mood").view) == (FRESH, FRESH)
    assert card(erased).fingerprint != before.fingerprint
    assert told(erased) < 1e-4


def test_it_comes_back_as_it_was_once_it_is_without_nothing(erased, _pooled):
    ask(erased, topic=[])
    assert state(erased).transform == CHANGED
    run(erased)
    assert (state(erased).without, state(erased).transform) == ([], FRESH)
    np.testing.assert_array_equal(vectors(erased), vectors(_pooled))
    assert card(erased).fingerprint == card(_pooled).fingerprint


def refract(root, *arguments):
    return CliRunner().invoke(cli, [*arguments, "--root", str(root)])


def test_an_aspect_without_labels_is_refused_until_there_are_some(made):
    ask(made, topic=["chanel"])
    before = card(made)
    done = refract(made, "fit")
    assert isinstance(done.exception, InputError)  # of which the command makes exit code 2
    said = "instructions.topic.without: found no labels of 'chanel'; expected an aspect that has"
    assert f"{said} some, one of: mood; put labels at data/labels/chanel.csv, or take it out" in (
        str(done.exception)
    )
    assert state(made).transform.reason.startswith("rejected: params.yaml: instructions.topic")
    assert card(made) == before
    rows = [row | {"chanel": row["channel"]} for row in documents()]
    write_labels(made, "chanel", rows[:5])
    said = "data/labels/chanel.csv: found 5 usable of 5 rows; expected at least 10"
    assert said in fit(made, ["topic"]).rejected["topic"]
    write_labels(made, "chanel", rows)
    assert fit(made, ["topic"]).rejected == {}
    assert card(made).aspects == ("chanel",)


def test_the_page_and_an_evaluation_are_of_the_view_as_it_is(_erased):
    pages = report(_erased, "topic")
    assert "mood (" in pages[-1].read_text("utf-8")
    assert "Not checked" not in pages[-1].read_text("utf-8")
    paths = Paths(_erased)
    found = evaluate(paths, load_params(paths.params), "topic").scores["view"]
    assert found["v_measure"] is not None


@pytest.mark.dvc
def test_versions_say_what_they_are_without_and_each_comes_back_as_it_was(root, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")  # where a table has room for the method
    was = vectors(root)
    ask(root, topic=["mood"])
    assert run(root, commit=True).record.commit
    now, made = vectors(root), card(root)
    assert np.abs(now - was).max() > 0.01
    assert [row.without for row in view_versions(Paths(root), "topic")][:2] == [["mood"], []]
    assert "without mood" in refract(root, "versions", "topic").output
    checkout(root, "whole/v3")
    np.testing.assert_array_equal(vectors(root), was)
    assert (state(root).without, card(root).erased, state(root).transform) == ([], None, FRESH)
    checkout(root, "main")
    np.testing.assert_array_equal(vectors(root), now)
    assert (state(root).without, card(root), state(root).transform) == (["mood"], made, FRESH)
    rollback(root, "topic")
    np.testing.assert_allclose(vectors(root), was, atol=2e-3)  # some rows were read by numpy
    assert state(root).without == []
    assert state(root).transform.reason.startswith("held at v1 by rollback")
