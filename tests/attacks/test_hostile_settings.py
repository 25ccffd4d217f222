"""Hostile clones and archives whose settings, hooks or modules would run, send or read things."""

from __future__ import annotations

import pytest

from tests.attacks.clones import LAYING, RECORDING, hostile, linked, said_in_one_line, written
from tests.hostile import commit, everything, git

pytestmark = [pytest.mark.attack, pytest.mark.dvc, pytest.mark.usefixtures("strangers")]


def configured(key, value):
    return lambda root, victim: git(root, "config", key, value.format(victim=victim))


def hooked(name):
    def change(root, victim):
        hook = root / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {victim}/ran\n")
        hook.chmod(0o755)

    return change


def filtered(kind):
    def change(root, victim):
        git(root, "config", f"filter.evil.{kind}", f"touch {victim}/ran; cat")
        written(".gitattributes", "* filter=evil\n")(root, victim)
        (root / ".git" / "info").mkdir(exist_ok=True)

    return change


def tracked_hooks(root, victim):
    written(".githooks/post-checkout", "#!/bin/sh\ntouch {victim}/ran\n")(root, victim)
    (root / ".githooks" / "post-checkout").chmod(0o755)
    git(root, "config", "core.hooksPath", ".githooks")


RUNNING = {
    **{
        f"{key} in an archive": configured(key, value)
        for key, value in {
            "core.fsmonitor": "touch {victim}/ran; false",
            "core.sshCommand": "touch {victim}/ran",
            "core.pager": "touch {victim}/ran",
            "core.editor": "touch {victim}/ran",
            "core.worktree": "{victim}",
            "core.alternateRefsCommand": "touch {victim}/ran",
            "core.attributesFile": "{victim}/diary.txt",
            "core.gitProxy": "touch {victim}/ran",
            "gpg.program": "touch",
            "log.showSignature": "true",
            "diff.external": "touch {victim}/ran",
            "diff.evil.textconv": "touch {victim}/ran",
            "merge.evil.driver": "touch {victim}/ran",
            "include.path": "{victim}/diary.txt",
            "includeIf.gitdir:/.path": "{victim}/diary.txt",
            "remote.origin.uploadpack": "touch {victim}/ran",
            "remote.origin.promisor": "true",
            "credential.helper": "!touch {victim}/ran",
            "url.ext::sh.insteadOf": "https://",
            "alias.status": "!touch {victim}/ran",
            "submodule.recurse": "true",
            "uploadpack.packObjectsHook": "touch {victim}/ran",
        }.items()
    },
    **{
        f"hook {name}": hooked(name)
        for name in (
            *("post-checkout", "pre-commit", "post-commit", "commit-msg", "prepare-commit-msg"),
            *("pre-push", "reference-transaction", "post-index-change", "fsmonitor-watchman"),
        )
    },
    "filter clean": filtered("clean"),
    "filter smudge": filtered("smudge"),
    "filter process": filtered("process"),
    "hooks that are tracked": tracked_hooks,
}


@pytest.mark.parametrize("case", RUNNING)
def test_what_an_archive_would_run_is_asked_for(origin, victim, case):
    commit(origin, "evil")
    git(origin, "tag", "evil")
    RUNNING[case](origin, victim)
    before = everything(victim)
    for words in (*LAYING, *RECORDING, ["versions"], ["rollback", "mood", "v1"]):
        code, said = said_in_one_line(origin, words)
        assert code == 2, (words, said)
        assert "refract trust" in said or "git" in said, said
    said_in_one_line(origin, ["status"])
    said_in_one_line(origin, ["trust"])
    assert everything(victim) == before


SETTINGS = {
    "cache elsewhere": written(".dvc/config", "[cache]\n    dir = {victim}\n"),
    "cache below": written(".dvc/config", "[cache]\n    dir = ../../victim\n"),
    "local cache": written(".dvc/config.local", "[cache]\n    dir = {victim}\n"),
    "site cache": written(".dvc/config", "[core]\n    site_cache_dir = {victim}\n"),
    "remote over ssh": written(".dvc/config", "['remote \"x\"']\n    url = ssh://evil.example/x\n"),
    "remote in a folder": written(".dvc/config", "['remote \"x\"']\n    url = {victim}\n"),
    "local remote": written(".dvc/config.local", "['remote \"x\"']\n    url = {victim}\n"),
    "hydra": written(".dvc/config", "[hydra]\n    enabled = true\n    plugins_path = {victim}\n"),
    "template": written(".dvc/config", "[plots]\n    html_template = {victim}/diary.txt\n"),
    "unreadable": written(".dvc/config", "[core\n"),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_where_dvc_would_be_led_is_asked_for(origin, victim, case):
    root = hostile(origin, victim, SETTINGS[case])
    before = everything(victim)
    for words in (["checkout", "HEAD"], ["diff", "HEAD"], ["rollback", "mood", "v1"]):
        code, said = said_in_one_line(root, words)
        assert code == 2, (words, said)
    assert everything(victim) == before


ASKED = {
    "endpoint": ("label: {{base_url: 'https://evil.example/v1', model: m}}", ["label", "a"]),
    "key": ("label: {{key_env: GITHUB_TOKEN, model: m}}", ["label", "a"]),
    "any variable": ("label: {{key_env: HOME}}", ["status"]),
    "sources": ("ingest: {{sources: ['{victim}']}}", ["ingest"]),
    "sources by dots": ("ingest: {{sources: ['../victim']}}", ["run"]),
    "sources by a glob": ("ingest: {{sources: ['../v*/*']}}", ["ingest"]),
    "model": ("embed: {{model: evil/model}}", ["run"]),
    "model in a folder": ("embed: {{model: ./model}}", ["run"]),
    "push": ("record: {{push: true}}", ["run"]),
    "prompts": ("label: {{prompts: ../victim}}", ["label", "a"]),
}


@pytest.mark.parametrize("case", ASKED)
def test_what_params_would_send_or_read_is_asked_for(origin, victim, case):
    line, words = ASKED[case]
    root = hostile(origin, victim, written("params.yaml", line + "\n"))
    before = everything(victim)
    code, said = said_in_one_line(root, words)
    assert code == 2, said
    assert "refract trust" in said or "label.key_env" in said
    assert everything(victim) == before


def test_links_among_documents_and_labels_are_asked_for(origin, victim):
    root = hostile(origin, victim, linked("data/raw/notes"))
    assert said_in_one_line(root, ["ingest"])[0] == 2
    assert "is a link, and" in said_in_one_line(root, ["run"])[1]


MODULES = ("dvc", "yaml", "configobj", "prefect", "uvicorn", "sitecustomize", "json", "flows")


@pytest.mark.parametrize("name", MODULES)
def test_no_module_of_a_workspace_is_imported_by_a_process_of_ours(origin, victim, name):
    def change(root, victim):
        written(f"{name}/__init__.py", "open('{victim}/ran', 'w')\n")(root, victim)
        written(f"{name}/__main__.py", "open('{victim}/ran', 'w')\n")(root, victim)

    root = hostile(origin, victim, change)
    for words in (["checkout", "HEAD"], ["diff", "HEAD"], ["versions"]):
        said_in_one_line(root, words, REFRACT_TRUST="*")
    assert not (victim / "ran").exists()


@pytest.mark.parametrize("file", [".env", "prefect.toml", "pyproject.toml"])
def test_settings_of_prefect_in_a_workspace_are_asked_for(origin, victim, file):
    text = {
        ".env": "PREFECT_API_URL=http://evil.example/api\n",
        "prefect.toml": "[api]\nurl = 'http://evil.example/api'\n",
        "pyproject.toml": "[tool.prefect.api]\nurl = 'http://evil.example/api'\n",
    }[file]
    root = hostile(origin, victim, written(file, text))
    (root / "data" / "raw").mkdir(exist_ok=True)
    (root / "data" / "raw" / "a.csv").write_text("id,text\n1,x\n")
    for words in (["run"], ["ingest"]):
        code, said = said_in_one_line(root, words)
        assert (code, "Prefect is set up by" in said) == (2, True), said
