"""A workspace turned over to the next encoder, whatever is killed or edited meanwhile."""

from __future__ import annotations

import shutil

import pytest

from tasks.core.workspace.paths import Paths
from tests.commands import refract, refused
from tests.migrating import WORDS, assert_followed, killed, model_of
from tests.world import set_params

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def turning(once, _made, other):
    """A workspace by the one encoder, killed when all was ready to turn over to the other one."""

    def make(at):
        root = shutil.copytree(_made, at / "world")
        set_params(root, embed={"next": {"model": str(other)}})
        killed(root, "flows.migration.turning.finish_turning")

    return once("turning", make) / "world"


@pytest.mark.parametrize(
    ("target", "nth", "when"),
    [
        ("pathlib.Path.rename", 4, "after"),
        ("pathlib.Path.rename", 13, "after"),
        ("flows.migration.turning._adopt", 1, "after"),
        ("pathlib.Path.rename", 15, "after"),  # the last: the note of the turn is all that is left
        ("flows.migration.turning.forget_former", 2, "before"),
    ],
)
def test_a_turn_that_was_killed_is_finished_by_the_next_command(
    turning, tmp_path, by_other, target, nth, when
):
    root = shutil.copytree(turning, tmp_path / "world")
    killed(root, target, nth, when)
    assert_followed(root, by_other)
    assert model_of(root)[1] is None
    assert not Paths(root).former.exists()


def test_the_same_command_again_finishes_the_turn(turning, tmp_path, by_other):
    root = shutil.copytree(turning, tmp_path / "world")
    killed(root, "pathlib.Path.rename", 14, "before")
    assert not Paths(root).base_table.exists()
    assert "a turn that was stopped is finished" in refract(root, "embed", "--migrate").out
    assert_followed(root, by_other)


def test_who_reads_amid_a_turn_is_told_to_finish_it(turning, tmp_path, monkeypatch):
    monkeypatch.setattr("flows.migration.turning._PATIENCE", 0.1)
    root = shutil.copytree(turning, tmp_path / "world")
    assert "'refract run' finishes it" in refused(root, "search", WORDS, "--view", "mood")
    assert "a turn to the next encoder; run 'refract run'" in refract(root, "status").out
