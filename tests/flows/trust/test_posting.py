"""Labels are posted into a workspace of others once its user has agreed to what a run does."""

import pytest

from flows.explore.learning.posting import post_labels
from tasks.core.labels.inbox.checking import PostedRow
from tasks.core.settings.params import Params
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths
from tests.commands import refract
from tests.hostile import git

pytestmark = pytest.mark.dvc


def test_labels_are_taken_in_once_what_a_run_does_is_agreed_to(origin, victim):
    paths, rows = Paths(origin), [PostedRow("1", None, "late")]
    git(origin, "config", "core.fsmonitor", f"touch {victim / 'ran'}; false")
    before = sorted(paths.labels.rglob("*"))
    with pytest.raises(InputError, match=r"git is set up by core\.fsmonitor"):
        post_labels(paths, Params(), "pace", "key", "ann", rows)
    git(origin, "config", "--unset", "core.fsmonitor")
    refract(origin, "trust", "--yes")
    with pytest.raises(InputError, match="no base vectors yet"):  # a stranger no more
        post_labels(paths, Params(), "pace", "key", "ann", rows)
    assert sorted(paths.labels.rglob("*")) == before
    assert not (victim / "ran").exists()
    assert not (paths.state / "posted").exists()
