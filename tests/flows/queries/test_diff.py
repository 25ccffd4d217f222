"""Two versions compared: figures, and the texts that moved."""

import json

import pytest
from click.testing import CliRunner

from flows.cli.verbs import cli
from flows.queries.diff import diff, undisturbed
from flows.runtime.lock import is_held
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import write_bytes
from tasks.core.workspace.paths import Paths
from tests.flows.history import git, seen
from tests.world import documents

pytestmark = pytest.mark.dvc


def test_two_versions_differ_in_scores_labels_rows_and_moved_texts(root, seen_at):
    found = diff(root, "whole/v1", "whole/v3").to_json()
    assert (found["from"]["texts"], found["to"]["texts"]) == (60, 72)
    mood = found["views"]["mood"]
    assert mood["state"] == "new transform"
    assert [side["labels"] for side in mood["sides"]] == [20, 30]
    assert mood["sides"][1]["counts"] == {"angry": 18, "glad": 12}
    moved = mood["moved"]
    assert (moved["common"], moved["compared"], moved["k"]) == (60, 60, 10)
    assert 0 < moved["neighbours_kept"] < 1
    texts = {row["id"]: row["text"] for row in documents()}
    assert all(text["text"] == texts[text["id"]] for text in moved["texts"])
    changed = [text["label"][0] != text["label"][1] for text in moved["texts"]]
    assert changed == sorted(changed, reverse=True)
    assert sum(changed) == min(moved["labels_changed"], len(changed))
    assert found["views"]["topic"]["state"] == "new rows"
    assert found["views"]["topic"]["moved"]["neighbours_kept"] == 1.0
    assert found["views"]["topic"]["moved"]["texts"] == []
    assert seen(root) == seen_at["v3"]


def test_the_workspace_as_it_is_is_the_second_version_and_nothing_is_left_behind(root):
    before = git(root, "status", "--porcelain", "--ignored")
    found = diff(root, "view/mood/v2", None, ["mood"]).to_json()
    assert list(found["views"]) == ["mood"]
    assert found["views"]["mood"]["state"] == "new rows"
    assert found["to"] == {"rev": "workspace", "commit": None, "texts": 72}
    assert git(root, "worktree", "list").count("\n") == 0
    assert [path for path in Paths(root).past.rglob("*") if path.is_file()] == []
    assert git(root, "status", "--porcelain", "--ignored") == before


def test_a_version_compared_with_itself_has_moved_nothing(root):
    views = diff(root, "main", "whole/v3").views
    assert {about.state for about in views.values()} == {"same"}


def test_what_a_comparison_finds_is_shown_as_a_table_and_as_json(root):
    def ask(*arguments):
        done = CliRunner().invoke(cli, ["diff", *arguments, "--root", str(root)])
        assert done.exit_code == 0, done.output
        return done.output

    shown = ask("whole/v1", "whole/v2")
    assert "mood" in shown
    assert "nearest 10 among 60 texts" in shown
    found = json.loads(ask("whole/v1", "--view", "mood", "--json"))
    assert found["views"]["mood"]["moved"]["common"] == 60


def test_an_unknown_view_or_revision_is_refused(root):
    with pytest.raises(InputError, match="neither version has it; expected one of: mood, topic"):
        diff(root, "whole/v1", None, ["nope"])
    with pytest.raises(InputError, match="git knows none of that name"):
        diff(root, "nope", None)
    assert git(root, "worktree", "list").count("\n") == 0


def test_what_was_made_anew_meanwhile_is_compared_again_the_last_time_as_the_one_writer(root):
    paths, held = Paths(root), []
    scores = paths.metric("mood")
    content = scores.read_bytes()

    def find():
        held.append(is_held(paths.writer_lock))
        if len(held) == 1:
            write_bytes(scores, content)
            raise FileNotFoundError("a file of the version before")
        if len(held) == 2:
            write_bytes(scores, content)
        return len(held)

    assert undisturbed(paths, find) == 3
    assert held == [False, False, True]
    assert undisturbed(paths, find) == 4
    assert held[-1] is False
    write_bytes(paths.exchange, b"{}")
    assert undisturbed(paths, find) == 5
    assert held[-1] is True and not paths.exchange.exists()
    with pytest.raises(ZeroDivisionError):
        undisturbed(paths, lambda: 1 / 0)
