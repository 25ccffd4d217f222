"""What tells that git may know other tags than before, in real repositories of every kind."""

import os
import subprocess

import pytest

from tasks.versioning.tag_files import TagFiles


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch):
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)


def git(folder, *words):
    identity = ("-c", "user.name=user", "-c", "user.email=user@example.org")
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


def commit(folder):
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "a state")


def state(root, view="mood"):
    return TagFiles(root).state(view)


def make_top(folder):
    git(folder, "init", "--quiet")
    commit(folder)
    return folder, ""


def make_part(folder):
    """A workspace below the top of its repository, whose tags begin with where it lies."""
    make_top(folder)
    (folder / "a" / "shop").mkdir(parents=True)
    return folder / "a" / "shop", "a/shop/"


def make_worktree(folder):
    """A second worktree: its tags are those of the repository that it was made from."""
    (folder / "main").mkdir()
    make_top(folder / "main")
    git(folder / "main", "worktree", "add", "--quiet", "../other")
    return folder / "other", ""


@pytest.fixture(params=[make_top, make_part, make_worktree])
def tagged(request, tmp_path):
    root, prefix = request.param(tmp_path)
    git(root, "tag", f"{prefix}view/mood/v1")
    return root, prefix


def test_it_is_the_same_until_a_tag_of_the_view_is_set_moved_packed_or_removed(tagged):
    root, prefix = tagged
    changes = [
        ("tag", f"{prefix}view/mood/v2"),
        ("tag", "--force", f"{prefix}view/mood/v2", "HEAD~"),
        ("tag", "--delete", f"{prefix}view/mood/v1"),
        ("pack-refs", "--all"),
        ("tag", f"{prefix}view/mood/v3"),
        ("tag", "--delete", f"{prefix}view/mood/v2"),
    ]
    commit(root)
    seen = [state(root)]
    for change in changes:
        assert state(root) == seen[-1]
        git(root, *change)
        seen.append(state(root))
        assert seen[-1] != seen[-2], change


def test_tags_of_other_views_and_commits_are_no_matter_of_it(tagged):
    root, prefix = tagged
    before, fresh = state(root), state(root, "topic")
    git(root, "tag", f"{prefix}view/topic/v1")
    commit(root)
    assert state(root) == before
    assert state(root, "topic") != fresh


def test_a_repository_that_appears_is_noticed(tmp_path):
    before = state(tmp_path)
    assert state(tmp_path) == before
    make_top(tmp_path)
    assert state(tmp_path) != before


def test_where_the_environment_names_the_repository_nothing_is_known(tagged, monkeypatch):
    monkeypatch.setenv("GIT_DIR", str(tagged[0] / ".git"))
    assert state(tagged[0]) != state(tagged[0])
