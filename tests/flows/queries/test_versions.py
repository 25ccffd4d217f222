"""Recorded runs, and going back to them: real git and DVC, a folder as the remote."""

import json

import pytest
from click.testing import CliRunner
from filelock import FileLock

import flows.record
from flows.checkout import checkout
from flows.cli.verbs import cli
from flows.fit import fit
from flows.queries.report import report
from flows.run import run
from flows.state import staleness
from flows.state.tracked_files import anything_uncommitted
from tasks.core.report import vega
from tasks.core.settings.params import load_params
from tasks.core.store import checkpoints
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths
from tasks.versioning import checkout as exchange
from tests.commands import refract
from tests.flows.history import SUBJECTS, corrupted, dvc, git, seen
from tests.world import documents, set_params, write_documents, write_labels

pytestmark = pytest.mark.dvc


def nothing_stale(root):
    paths = Paths(root)
    return not staleness.anything(paths, load_params(paths.params))


def links(folder):
    return [path.stat().st_nlink for path in folder.rglob("*") if path.is_file()]


def test_each_run_is_one_commit_that_reads_like_a_line_of_a_log(root):
    assert git(root, "log", "--format=%s").splitlines() == SUBJECTS
    tags = git(root, "tag", "--list", "view/*").splitlines()
    assert tags == ["view/mood/v1", "view/mood/v2", "view/topic/v1"]
    assert git(root, "log", "-1", "--format=%an <%ae>") == "Ada <ada@example.org>"


def test_after_recording_git_and_dvc_are_clean_and_nothing_is_stale(root):
    assert git(root, "status", "--porcelain") == ""
    assert json.loads(dvc(root, "status", "--json")) == {}
    assert nothing_stale(root)
    assert not anything_uncommitted(Paths(root))


def test_the_cache_shares_the_outputs_and_not_the_documents(root):
    assert set(links(root / "data" / "raw")) == {1}
    assert all(count > 1 for count in links(root / "data" / "vectors"))
    assert corrupted(root) == []


def test_every_version_comes_back_bit_for_bit_and_asks_for_no_run(root, seen_at):
    for rev, version in (("whole/v1", "v1"), ("view/mood/v2", "v2"), ("main", "v3")):
        made = checkout(root, rev)
        assert not made.fetched
        assert seen(root) == seen_at[version]
        assert nothing_stale(root)
    assert made.branch == "main"
    assert json.loads(dvc(root, "status", "--json")) == {}
    assert corrupted(root) == []


def test_documents_can_be_appended_to_after_a_checkout_without_harm_to_any_version(root, seen_at):
    checkout(root, "whole/v1")
    raw = root / "data" / "raw" / "messages.csv"
    assert raw.stat().st_nlink == 1
    with raw.open("a") as file:
        file.write("t99,one more text,email,3\n")
    assert corrupted(root) == []
    with pytest.raises(InputError, match=r"would be lost: data/raw; .*refract run --commit"):
        checkout(root, "main")
    write_documents(root, documents()[:60])
    checkout(root, "main")
    assert seen(root) == seen_at["v3"]


def test_labels_that_are_in_no_commit_are_named_and_not_lost(root):
    file = write_labels(root, "mood", documents()[:30])
    write_labels(root, "new", [row | {"new": "x"} for row in documents()[:30]])
    kept = file.read_bytes()
    with pytest.raises(InputError, match=r"2 files .* data/labels/mood.csv, data/labels/new.csv"):
        checkout(root, "whole/v1")
    assert file.read_bytes() == kept
    assert git(root, "log", "-1", "--format=%s") == SUBJECTS[0]


def test_notes_and_evaluations_that_are_in_no_commit_stay_through_a_checkout(root):
    evaluation = Paths(root).evaluations / "mood.json"
    evaluation.parent.mkdir(parents=True)
    for file in (root / "notes.txt", evaluation):
        file.write_text("mine")
    checkout(root, "whole/v1")
    for file in (root / "notes.txt", evaluation):
        assert file.read_text() == "mine"


def test_an_unknown_revision_is_refused_with_the_known_ones(root):
    with pytest.raises(InputError, match=r"'nope'.* known: main, view/mood/v1, view/mood/v2"):
        checkout(root, "nope")
    with pytest.raises(InputError, match="git knows none of that name"):
        checkout(root, "--orphan")


def test_a_checkout_is_refused_while_serve_runs(root):
    with (
        FileLock(Paths(root).serve_lock),
        pytest.raises(InputError, match="'refract serve' runs on this workspace"),
    ):
        checkout(root, "whole/v1")


class Killed(BaseException):
    """Stands for SIGKILL: no code of ours runs between it and the next command."""


@pytest.mark.parametrize("done", [(), ("data/views",), ("data/raw.dvc",)])
def test_a_checkout_that_was_killed_halfway_is_finished_by_doing_it_again(
    root, seen_at, monkeypatch, done
):
    def partly(root, *_):
        if done:
            dvc(root, "checkout", "--quiet", *done)
        raise Killed

    monkeypatch.setattr(exchange, "lay_out", partly)
    with pytest.raises(Killed):
        checkout(root, "whole/v1")
    monkeypatch.undo()
    assert checkout(root, "whole/v1").branch is None
    assert seen(root) == seen_at["v1"]
    assert not Paths(root).unfinished_checkout.exists()


def test_data_that_is_nowhere_is_reported_and_the_workspace_is_back_where_it_was(root, seen_at):
    dvc(root, "config", "--local", "remote.store.url", str(root.parent / "empty"))
    lock = git(root, "show", "whole/v1:dvc.lock")
    vectors = next(line for line in lock.splitlines() if line.strip().startswith("md5:"))
    digest = vectors.split()[1]
    for part in (root / ".dvc" / "cache" / "files" / "md5" / digest[:2]).glob(f"{digest[2:]}*"):
        part.unlink()
    with pytest.raises(InputError, match=r"neither in the cache nor at a remote .* main again"):
        checkout(root, "whole/v1")
    assert seen(root) == seen_at["v3"]
    assert git(root, "symbolic-ref", "--short", "HEAD") == "main"


def test_a_clone_with_nothing_but_the_remote_becomes_any_version(root, tmp_path, seen_at):
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(root), str(clone))
    assert checkout(clone, "view/mood/v2").fetched
    assert seen(clone) == seen_at["v2"]
    assert checkout(clone, "main").branch == "main"
    assert seen(clone) == seen_at["v3"]
    assert nothing_stale(clone)
    assert "> refract" not in dvc(clone, "repro")


def test_a_run_killed_before_its_git_commit_is_committed_by_the_next(root, monkeypatch):
    def killed(*_):
        raise Killed

    write_labels(root, "mood", documents()[:50])
    monkeypatch.setattr(flows.record, "commit_state", killed)
    with pytest.raises(BaseException):  # noqa: B017 - Prefect passes on what it was given
        run(root, commit=True)
    monkeypatch.undo()
    assert not nothing_stale(root)
    made = run(root, commit=True)
    assert made.fit.fitted == []
    assert made.record.tags == ("view/mood/v3",)
    assert git(root, "status", "--porcelain") == ""
    assert json.loads(dvc(root, "status", "--json")) == {}


def test_by_hand_git_is_left_alone_until_it_is_asked_for(root):
    write_labels(root, "mood", documents()[:50])
    assert run(root).record.commit is None
    assert nothing_stale(root)
    assert anything_uncommitted(Paths(root))
    set_params(root, record={"commit": "always"})
    assert "record: dvc status is clean; commit" in refract(root, "run").out
    assert "run: mood 50 labels" in git(root, "log", "-1", "--format=%s")


def test_a_commit_that_cannot_be_made_is_refused_before_any_work(root):
    checkout(root, "whole/v1")
    write_labels(root, "mood", documents()[:50])
    with pytest.raises(InputError, match="HEAD is detached"):
        run(root, commit=True)
    assert not nothing_stale(root)


def test_versions_are_listed_from_git_alone(root):
    def ask(*arguments):
        done = CliRunner().invoke(cli, ["versions", *arguments, "--root", str(root)])
        assert done.exit_code == 0, done.output
        return done.output

    rows = json.loads(ask("--json"))
    assert [row["message"] for row in rows] == SUBJECTS
    assert [row["texts"] for row in rows] == [72, 60, 60]
    assert [row["here"] for row in rows] == [True, False, False]
    assert rows[2]["tags"] == ["view/mood/v1", "view/topic/v1"]
    rows = json.loads(ask("mood", "--json"))
    assert [(row["tag"], row["labels"]) for row in rows] == [
        ("view/mood/v2", 30),
        ("view/mood/v1", 20),
    ]
    assert rows[0]["method"] in ("auto: discriminant", "auto: pool")
    assert rows[0]["after"]["v_measure"] == 100.0
    assert [row["here"] for row in rows] == [True, False]
    assert "v2" in ask("mood")
    assert "60 → 72 texts" in ask()
    done = CliRunner().invoke(cli, ["versions", "nope", "--root", str(root)])
    assert "git holds no version of it" in str(done.exception)
    assert "meant" not in str(done.exception)
    done = CliRunner().invoke(cli, ["versions", "mod", "--root", str(root)])
    assert "known: mood, topic (did you mean 'mood'?)" in str(done.exception)


def test_what_is_here_is_marked_whatever_was_committed_since_and_nothing_else_is(root):
    def ask(*words):
        done = refract(root, "versions", *words)
        return done.out, [
            row["here"] for row in json.loads(refract(root, "versions", *words, "--json").out)
        ]

    git(root, "commit", "--allow-empty", "--message", "a commit of one's own")
    for words, here in (((), [True, False, False]), (("mood",), [True, False])):
        said, marked = ask(*words)
        assert marked == here and "newest first; * is here" in said
    checkout(root, "whole/v2")
    assert ask()[1] == [False, True, False]
    write_labels(root, "mood", documents()[:50])
    assert ask()[1] == [False, True, False]  # what was made is still that
    assert fit(root, ["mood"]).fitted
    assert not any(ask()[1])  # it is recorded nowhere
    assert run(root).materialise
    for words in ((), ("mood",)):
        said, marked = ask(*words)
        assert not any(marked) and "newest first; none of these is here" in said


def test_a_checkout_forgets_the_checkpoints_of_the_history_it_leaves(root):
    folder = checkpoints.begin(Paths(root).shards("materialise/mood"))
    checkout(root, "whole/v1")
    assert not checkpoints.begun(folder)


def test_a_report_names_the_version_and_leaves_git_and_dvc_clean(root, monkeypatch):
    monkeypatch.setattr(vega, "script", lambda _: "")
    page = report(root, "mood")[-1].read_text("utf-8")
    assert f"view/mood/v2, {git(root, 'rev-parse', '--short=8', 'view/mood/v2^{}')}, " in page
    assert git(root, "status", "--porcelain") == ""
    assert json.loads(dvc(root, "status", "--json")) == {}
