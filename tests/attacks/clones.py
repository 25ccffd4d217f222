"""Workspaces of others, and what makes one of them hostile."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.commands import refract
from tests.hostile import commit, git, replace_by_link

LOOKING = (["status"], ["versions"], ["versions", "mood"])
LAYING = (["checkout", "HEAD"], ["checkout", "evil"], ["diff", "evil"], ["diff", "HEAD"])
RECORDING = (["run"], ["run", "--commit"])


def linked(name):
    def change(root, victim):
        replace_by_link(root / name, victim)

    return change


def linked_file(name):
    def change(root, victim):
        shutil.copyfile(root / name, victim / Path(name).name)
        replace_by_link(root / name, victim / Path(name).name)

    return change


def written(name, content):
    def change(root, victim):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content.format(victim=victim))

    return change


def hostile(origin, victim, change):
    """Return a clone at the version `evil`, with the links that git would not carry."""
    change(origin, victim)
    commit(origin, "evil")
    git(origin, "tag", "evil")
    return origin


def said_in_one_line(root, words, **environment):
    """Do `words`; whatever comes of it, there is no traceback. Return the code and the line."""
    code, _, said = refract(root, *words, **environment)
    assert "Traceback" not in said, said
    if code == 2:
        assert said.count("\n") == 1, said
        assert len(said) < 2_000, said
    return code, said
