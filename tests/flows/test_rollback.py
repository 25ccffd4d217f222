"""One view back to an earlier version: the rest stays, and the labels do not undo it."""

import shutil

import pytest

from flows.fit import fit
from flows.queries.versions import view_versions
from flows.rollback import rollback
from flows.run import run
from flows.state import staleness
from flows.state.staleness import Verdict
from flows.state.status import read_status
from tasks.core.settings.params import load_params
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import read_json
from tasks.core.workspace.paths import Paths
from tests.commands import refused
from tests.flows.history import git, seen
from tests.world import documents, set_params, write_documents, write_labels

pytestmark = pytest.mark.dvc

HELD = "held at v1 by rollback; change the labels, or run 'refract fit mood --force'"


def said_of(root, name="mood"):
    paths = Paths(root)
    return read_status(paths, load_params(paths.params)).instructions[name].transform


def nothing_stale(root):
    paths = Paths(root)
    return not staleness.anything(paths, load_params(paths.params))


def fingerprint(root):
    return read_json(Paths(root).transform("mood") / "transform.json")["fingerprint"]


def rolled_back(root, version=None):
    made = rollback(root, "mood", version)
    assert made.version == "v1"
    return made


def test_the_earlier_transform_is_applied_to_todays_corpus_and_recorded(root, seen_at):
    labels = Paths(root).labels / "mood.csv"
    before = labels.read_bytes()
    made = rolled_back(root)
    assert (made.was, made.source) == ("v2", "kept beside the view")
    assert made.record.tags == ("view/mood/v3",)
    assert git(root, "log", "-1", "--format=%s") == ("rollback/mood: 20 labels, view v3 = v1")
    rows = view_versions(Paths(root), "mood")
    assert [row.same_as for row in rows] == ["view/mood/v1", None, None]
    assert [row.here for row in rows] == [True, False, False]
    now, old = seen(root), seen_at["v1"]
    assert len(now["mood"][1]) == 72
    assert now["base"] == seen_at["v3"]["base"]
    assert now["topic"] == seen_at["v3"]["topic"]
    size = len(old["mood"][2]) // 60
    rows = dict(zip(now["mood"][1], range(72), strict=True))
    for n, key in enumerate(old["mood"][1]):
        at = rows[key]
        assert now["mood"][2][at * size : (at + 1) * size] == old["mood"][2][n * size :][:size]
    assert labels.read_bytes() == before
    assert git(root, "status", "--porcelain") == ""
    assert nothing_stale(root)


def test_a_rolled_back_view_is_held_until_its_labels_change_and_new_rows_do_not_end_it(root):
    rolled_back(root)
    assert said_of(root) == Verdict(False, HELD)
    write_documents(root, documents()[:66])
    report = run(root)
    assert "mood" not in [made.name for made in report.fit.fitted]
    assert [view.rows for view in report.materialise] == [66, 66]
    assert said_of(root).reason == HELD
    write_labels(root, "mood", documents()[:50])
    assert said_of(root) == Verdict(True, "its labels changed")
    report = run(root, commit=True)
    assert [made.name for made in report.fit.fitted if made.refitted] == ["mood"]
    assert report.record.tags == ("view/mood/v4",)
    assert not Paths(root).hold("mood").exists()


def test_a_forced_fit_ends_the_hold(root):
    newest = fingerprint(root)
    rolled_back(root)
    assert fingerprint(root) != newest
    fit(root, ["mood"], force=True)
    assert fingerprint(root) == newest
    assert said_of(root).reason == "up to date"
    assert run(root, commit=True).record.tags == ("view/mood/v4",)


def test_a_transform_that_is_no_longer_kept_comes_out_of_dvc(root):
    shutil.rmtree(Paths(root).views / "mood.transforms")
    made = rolled_back(root, "v1")
    assert made.source == "out of DVC at view/mood/v1"
    assert not list(Paths(root).past.rglob("*.json"))
    assert git(root, "worktree", "list").count("\n") == 0


def test_a_rollback_killed_halfway_is_finished_by_doing_it_again(root, monkeypatch):
    import flows.rollback

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(flows.rollback, "materialise", killed)
    with pytest.raises(BaseException):  # noqa: B017 - Prefect passes on what it was given
        rollback(root, "mood")
    monkeypatch.undo()
    assert not nothing_stale(root)
    report = run(root, commit=True)
    assert report.fit.fitted == []
    assert [view.name for view in report.materialise] == ["mood"]
    assert report.record.tags == ("view/mood/v3",)
    assert said_of(root).reason == HELD


@pytest.mark.parametrize(
    ("name", "version", "message"),
    [
        ("mood", "v9", r"no version v9; expected one that is tagged; known: v1, v2"),
        ("mood", "v2", r"is at v2 already"),
        ("topic", None, r"no version before v1"),
        ("nope", None, r"known: none; see 'refract versions nope'"),
    ],
)
def test_a_version_that_is_not_there_is_refused_with_those_that_are(root, name, version, message):
    with pytest.raises(InputError, match=message):
        rollback(root, name, version)


def test_a_view_with_a_slip_in_its_name_is_refused_with_the_one_that_was_meant(root):
    for words in (("moood",), ("moood", "v1")):
        said = refused(root, "rollback", *words)
        assert said.startswith("refract: view 'moood' (did you mean 'mood'?): no version ")


def test_a_version_of_another_encoder_is_refused(root):
    set_params(root, embed={"prompt": "other: "})
    with pytest.raises(InputError, match=r"another encoder .* 'refract checkout view/mood/v1'"):
        rollback(root, "mood")
    assert not Paths(root).hold("mood").exists()
