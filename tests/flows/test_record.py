"""What DVC and git see of a run: a real repository, DVC's own command line."""

import json
import shutil

import pytest

from flows import Workspace
from flows.run import run
from tasks.versioning.run_git_and_dvc import RepositoryError
from tests.flows.history import call, dvc
from tests.odd import make_odd
from tests.world import documents, make_world, set_params, write_labels

pytestmark = pytest.mark.dvc

VERBS = ("ingest", "embed", "fit", "materialise")


def git(root, *arguments):
    return call(root, "git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments)


def commit(root, message):
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", message)


@pytest.fixture(scope="module")
def _recorded(tmp_path_factory, tiny_model):
    root = make_world(tmp_path_factory.mktemp("recorded") / "world", str(tiny_model), git=True)
    assert run(root).recorded
    commit(root, "first")
    return root


@pytest.fixture
def recorded(_recorded, tmp_path):
    """A workspace in git and DVC after its first run, which is committed."""
    return shutil.copytree(_recorded, tmp_path / "world", symlinks=True)


def test_after_a_run_dvc_has_nothing_to_say_and_nothing_to_do(recorded):
    assert "up to date" in dvc(recorded, "status")
    said = dvc(recorded, "repro")
    assert all(f"'{verb}' didn't change, skipping" in said for verb in VERBS), said
    assert git(recorded, "status", "--porcelain") == ""


def test_documents_without_any_labels_are_recorded_too(tmp_path, tiny_model):
    root = make_world(tmp_path / "world", str(tiny_model), git=True)
    for file in (root / "data" / "labels").iterdir():
        file.unlink()
    assert run(root).recorded
    assert "up to date" in dvc(root, "status")


def test_git_holds_what_a_person_wrote_and_dvc_what_was_made(recorded):
    tracked = set(git(recorded, "ls-files").splitlines())
    assert {"params.yaml", "dvc.yaml", "dvc.lock", "data/metrics/scores/mood.json"} <= tracked
    assert {"data/labels/mood.csv", "data/raw.dvc", "data/metrics/corpus.json"} <= tracked
    made = ("data/raw/", "data/corpus/", "data/vectors/", "data/transforms/", "data/views/")
    assert not [name for name in tracked if name.startswith((*made, ".refract/"))]


def test_a_changed_label_file_makes_fit_stale_and_nothing_before_it(recorded):
    write_labels(recorded, "mood", documents()[:50])
    status = json.loads(dvc(recorded, "status", "--json"))
    assert status == {"fit": [{"changed deps": {"data/labels": "modified"}}]}
    said = dvc(recorded, "repro", "--dry")
    assert "'ingest' didn't change, skipping" in said
    assert "'embed' didn't change, skipping" in said
    assert "> refract fit" in said


def test_repro_itself_makes_what_is_stale(recorded):
    write_labels(recorded, "mood", documents()[:50])
    said = dvc(recorded, "repro")
    assert "> refract fit" in said
    assert "> refract materialise" in said
    assert "> refract embed" not in said
    assert "up to date" in dvc(recorded, "status")
    assert run(recorded).materialise == []


def test_dvc_lists_the_scores_draws_them_and_knows_the_four_stages(recorded):
    scores = dvc(recorded, "metrics", "show")
    assert "mood.json" in scores
    assert "topic.json" in scores
    assert "after.v_measure" in scores
    dvc(recorded, "plots", "show", "--out", "plots")
    page = (recorded / "plots" / "index.html").read_text("utf-8")
    assert "triplets_after" in page
    assert all(f"mood / triplets / {space}" in page for space in ("generic", "view"))
    graph = dvc(recorded, "dag", "--dot")
    assert all(f'"{verb}"' in graph for verb in VERBS)


def seen(root):
    """Return a search, and every id and vector of the view."""
    view = Workspace(root).view("mood")
    rows = view.frame().sort("id")
    hits = [hit["id"] for hit in view.hits("thank you", k=9)]
    return hits, rows["id"].to_list(), rows["vector"].to_numpy().tobytes()


def test_an_older_version_comes_back_bit_for_bit_and_the_newer_one_too(recorded):
    first = seen(recorded)
    write_labels(recorded, "mood", documents()[:50])
    run(recorded)
    commit(recorded, "second")
    second = seen(recorded)
    assert first[1] == second[1]
    assert first[2] != second[2]
    for version, expected in (("HEAD~1", first), ("main", second)):
        git(recorded, "checkout", "--quiet", version)
        dvc(recorded, "checkout", "--quiet")
        assert seen(recorded) == expected
        assert "up to date" in dvc(recorded, "status")
        report = run(recorded)
        assert (report.embed, report.fit.fitted, report.materialise) == (None, [], [])


def untracked(root):
    return git(root, "ls-files", "--others", "--exclude-standard").splitlines()


def test_a_workspace_below_an_existing_git_repository_becomes_a_dvc_part_of_it(
    tmp_path, tiny_model
):
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    shop = make_world(tmp_path / "shop", str(tiny_model), git=True)
    assert (shop / ".dvc").is_dir()
    assert not (shop / ".git").exists()
    assert not (tmp_path / ".dvc").exists()
    assert run(shop).recorded
    assert "up to date" in dvc(shop, "status")
    assert {"shop/dvc.lock", "shop/params.yaml"} <= set(untracked(tmp_path))
    assert not [name for name in untracked(tmp_path) if "vectors" in name or "cache" in name]


def test_a_workspace_without_dvc_runs_and_says_that_nothing_was_recorded(world, capsys):
    from flows.cli.show import reports
    from tasks.core.workspace.paths import Paths

    report = run(world)
    assert not report.recorded
    assert not (world / "dvc.lock").exists()
    reports.ran(report, Paths(world))
    assert "this is no DVC repository" in capsys.readouterr().out


@pytest.mark.timeout(240)
def test_pipes_loops_and_broken_links_among_the_inputs_stop_no_record(recorded, capfd):
    labels = recorded / "data" / "labels"
    shutil.rmtree(labels)
    odd = make_odd(labels)
    write_labels(recorded, "mood", documents()[:50])
    report = run(recorded, commit=True)
    assert report.recorded
    assert report.record.commit
    assert "not recorded: data/labels/" in capfd.readouterr().err
    known = git(recorded, "ls-files", "-z", "--", "data/labels").split("\0")
    assert "data/labels/mood.csv" in known
    assert not {f"data/labels/{name}" for name in odd} & set(known)
    assert "up to date" in dvc(recorded, "status")


def test_a_folder_of_labels_that_is_gone_is_no_folder_without_labels(recorded):
    set_params(recorded, materialise={"retire": True})
    shutil.move(recorded / "data" / "labels", recorded / "elsewhere")
    with pytest.raises(RepositoryError, match="data/labels: found no folder; expected that of"):
        run(recorded)
    assert Workspace(recorded).views == ["mood", "topic"]
    shutil.move(recorded / "elsewhere", recorded / "data" / "labels")
    assert run(recorded).recorded
