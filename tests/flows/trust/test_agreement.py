"""What a workspace of others has to be agreed to for, and how: real git and DVC, no run."""

import json
import shutil
from pathlib import Path

import pytest

from flows.init import make_workspace
from tasks.core.workspace.files import digest
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.trusting import read_trust
from tests.commands import refract, refused
from tests.hostile import clone, commit, everything, git, replace_by_link

pytestmark = pytest.mark.dvc


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


def test_work_is_handed_to_no_scheduler_until_it_is_agreed_to(origin):
    engine = "engine: {runner: dask, address: 'tcp://evil.example:8786'}\n"
    (origin / "params.yaml").write_text(engine)
    commit(origin, "evil")
    root = clone(origin)
    (root / "data" / "raw").mkdir()
    (root / "data" / "raw" / "a.csv").write_text("text\nhello there\n")
    said = refused(root, "run")
    assert "engine.address hands work to the Dask scheduler at tcp://evil.example:8786" in said
    assert "engine.address hands work" in refract(root, "trust")[1]
    (root / "params.yaml").write_text(engine.replace("dask", "local"))
    assert "engine.address" not in refract(root, "trust")[1]


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


def test_doubts_are_not_noted_through_a_link_of_others(origin, victim):
    replace_by_link(Paths(origin).doubts("mood").parent, victim)
    commit(origin, "evil")
    root, before = clone(origin), everything(victim)
    assert ".refract/doubts is a link to" in refused(root, "doubts", "mood")
    assert everything(victim) == before


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
    shutil.copytree(Path(__file__).parents[3] / "data" / "labels", paths.labels)
    assert read_trust(paths) is None


def test_a_repository_of_another_owner_is_told_with_the_cure(origin, monkeypatch):
    root = clone(origin)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    for words in (["versions"], ["run"], ["checkout", "main"]):
        said = refused(root, *words)
        assert "is a git repository of another user" in said
        assert f"git config --global --add safe.directory {root}" in said
