"""What is made anew just now is told while it is, and not because of a kill."""

import os
import signal

import pytest

from flows.runtime.lock import is_served, serving
from flows.runtime.under_way import begun, now_under_way, under_way
from tasks.core.workspace.paths import Paths
from tests.children import Child


def test_it_is_told_while_it_is_and_what_was_stays_told(tmp_path):
    paths = Paths(tmp_path)
    assert now_under_way(paths) == set()
    with under_way(paths, "fit", ["mood"]), under_way(paths, "materialise", ["topic"]):
        assert now_under_way(paths) == {"mood", "topic"}
    assert now_under_way(paths) == set()
    assert begun(paths, "fit").names == ["mood"]
    first = begun(paths, "fit").began
    with pytest.raises(ZeroDivisionError), under_way(paths, "fit", ["mood"]):
        raise ZeroDivisionError
    assert begun(paths, "fit").began > first
    assert now_under_way(paths) == set()


def test_where_nothing_is_made_nothing_is_noted(tmp_path):
    with under_way(Paths(tmp_path), "fit", []):
        assert not (tmp_path / ".refract").exists()


def _die(root):
    with under_way(Paths(root), "fit", ["mood"]):
        os.kill(os.getpid(), signal.SIGKILL)


def test_what_a_kill_has_left_open_is_not_under_way(tmp_path):
    child = Child("", tmp_path, None, _die, tmp_path)
    assert child.wait(60) == -signal.SIGKILL
    assert not begun(Paths(tmp_path), "fit").ended  # and whoever has its number now does not count
    assert now_under_way(Paths(tmp_path)) == set()


def test_who_asks_whether_another_serves_is_told_and_stands_in_nobodys_way(tmp_path):
    paths = Paths(tmp_path)
    assert not is_served(paths)
    with serving(paths, "another"):
        assert is_served(paths)
    assert not is_served(paths)
    with serving(paths, "another"):
        assert is_served(paths)
