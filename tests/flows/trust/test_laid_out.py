"""What a workspace of others may write, run and lay out, agreed to or not: real git and DVC."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flows.checkout import finish_checkout
from flows.runtime.lock import writer
from flows.state.trust import keeping
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import content_hash
from tasks.core.workspace.paths import Paths
from tests.commands import refract, refused
from tests.hostile import clone, commit, edit, everything, git, replace_by_link, store_file

pytestmark = pytest.mark.dvc


def test_an_output_behind_a_link_of_the_clone_is_refused_and_nothing_is_written(origin, victim):
    digest_ = store_file(origin.parent / "loot", b"evil")
    replace_by_link(origin / "x", Path("../victim"))
    (origin / "data" / "notes.dvc").write_text(
        f"wdir: ..\nouts:\n- md5: {digest_}\n  hash: md5\n  path: x/diary.txt\n"
    )
    commit(origin, "evil")
    root, before = clone(origin), everything(victim)
    refract(root, "trust", "--yes")
    for words in (["checkout", "main"], ["diff", "main"], ["run"]):
        assert "notes.dvc: writes x/diary.txt, and x is a link" in refused(root, *words)
    assert everything(victim) == before


def test_a_version_whose_folders_are_links_is_refused_before_git_lays_them_out(origin, victim):
    replace_by_link(origin / "data" / "views", Path("../../victim"))
    commit(origin, "evil")
    git(origin, "tag", "evil")
    git(origin, "checkout", "--quiet", "view/mood/v1")
    root, before = clone(origin), everything(victim)
    refract(root, "trust", "--yes")
    for words in (["checkout", "evil"], ["diff", "evil"]):
        assert "data/views: is a link (or a submodule)" in refused(root, *words)
    assert everything(victim) == before
    assert not (root / "data" / "views").exists()


def test_a_list_of_the_cache_that_leads_out_of_its_folder_is_not_laid_out(origin, victim):
    store = origin.parent / "store"
    shutil.copytree(next(iter(_remote(origin))), store, dirs_exist_ok=True)
    rows = [{"md5": store_file(store, b"evil"), "relpath": "../../../victim/diary.txt"}]
    evil = store_file(store, json.dumps(rows).encode(), ".dir")
    (origin / ".dvc" / "config").write_text(
        f"[core]\n    remote = store\n['remote \"store\"']\n    url = {store}\n"
    )
    edit(
        origin,
        "dvc.lock",
        lambda note: note["stages"]["materialise"]["outs"][0].update(md5=evil),
    )
    commit(origin, "evil")
    root, before = clone(origin), everything(victim)
    refract(root, "trust", "--yes")
    assert "would be written outside of its folder" in refused(root, "checkout", "main")
    assert everything(victim) == before


def _remote(root):
    for line in (root / ".dvc" / "config").read_text().splitlines():
        if "url = " in line:
            yield Path(line.partition("url = ")[2])


def test_outputs_of_the_users_own_are_left_to_the_user_and_named(origin):
    (origin / "notes.dvc").write_text("outs:\n- md5: aaaa\n  path: notes\n")
    commit(origin, "mine")
    root = clone(origin)
    refract(root, "trust", "--yes")
    code, said, _ = refract(root, "checkout", "main")
    assert code == 0
    assert "left to you: notes" in said


def test_modules_that_lie_in_a_workspace_are_not_those_that_are_meant(origin, victim):
    for name in ("dvc", "configobj", "sitecustomize", "prefect"):
        (origin / name).mkdir()
        (origin / name / "__init__.py").write_text(f"open({str(victim / 'ran')!r}, 'w')\n")
    commit(origin, "evil")
    root = clone(origin)
    refract(root, "trust", "--yes")
    assert refract(root, "checkout", "main")[0] == 0
    assert not (victim / "ran").exists()


def test_what_a_clone_brings_in_refracts_own_folder_is_not_obeyed(origin, victim):
    """Prefect starts what `logging.yml` in its folder names, and a page runs its script."""
    home = Paths(origin).prefect_home
    home.mkdir(parents=True)
    (home / "logging.yml").write_text(
        "version: 1\nhandlers:\n  evil:\n    '()': os.mkdir\n"
        f"    path: {victim / 'ran'}\nroot:\n  handlers: [evil]\n"
    )
    command = (
        "from pathlib import Path; from flows.runtime.prefect_settings import keep_to;"
        "from tasks.core.workspace.paths import Paths; keep_to(Paths(Path()));"
        "from prefect.logging.configuration import setup_logging; setup_logging()"
    )
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
    before = everything(victim)
    subprocess.run([sys.executable, "-c", command], cwd=origin, env=clean, capture_output=True)
    assert everything(victim) == before
    assert not keeping(Paths(origin)).resolve().is_relative_to(origin.resolve())
    assert everything(home).keys() == {str(home / "logging.yml")}


def test_a_note_of_half_a_checkout_that_came_along_runs_no_hook(origin, victim):
    hook = origin / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {victim}/ran\n")
    hook.chmod(0o755)
    note = {"to": "main", "commit": git(origin, "rev-parse", "HEAD"), "from": "main"}
    Paths(origin).state.mkdir()
    Paths(origin).unfinished_checkout.write_text(json.dumps(note))
    (origin / ".dvc" / "config").write_text("")
    before = everything(victim)
    with pytest.raises(InputError, match="git runs the hook post-checkout"):
        finish_checkout(Paths(origin))
    assert everything(victim) == before


@pytest.mark.parametrize("place", [".git/config", ".dvc/config", "params.yaml", "data/raw.dvc"])
def test_a_note_of_half_an_exchange_that_came_along_lays_out_no_settings(origin, place):
    paths, target = Paths(origin), origin / place
    before = target.read_bytes() if target.exists() else None
    target.with_name(f".{target.name}.next.tmp").write_bytes(b"evil")
    paths.state.mkdir()
    note = {"new": [place], "hashes": [content_hash(b"evil")], "gone": [place]}
    paths.exchange.write_text(json.dumps(note))
    with writer(paths):
        assert (target.read_bytes() if target.exists() else None) == before
    assert not paths.exchange.exists()


@pytest.mark.parametrize("file", ["dvc.lock", "dvc.yaml", "params.yaml", "notes.dvc"])
def test_a_file_that_is_half_merged_is_told_at_once(origin, monkeypatch, file):
    monkeypatch.setenv("REFRACT_TRUST", str(origin))
    place = origin / file
    kept = place.read_text() if place.exists() else "outs: []\n"
    place.write_text(f"<<<<<<< HEAD\n{kept}=======\n{kept}>>>>>>> other\n")
    commit(origin, "half merged")
    git(origin, "tag", "merged")
    for words in (["run"], ["checkout", "merged"], ["diff", "HEAD"]):
        assert "line 1 holds a mark of a merge (<<<<<<<)" in refused(origin, *words)
    assert file in refused(origin, "run")
