"""Hostile clones and archives × verbs: nothing outside is written, nothing of theirs is run.

Each case is tried by somebody who has agreed to nothing, and those that are refused in any case
also by somebody who trusts everybody. In both one line and exit code 2 is all that there is.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.commands import refract
from tests.hostile import (
    commit,
    edit,
    everything,
    git,
    make_workspace_of_others,
    replace_by_link,
    store_file,
    store_folder,
)

pytestmark = [pytest.mark.attack, pytest.mark.dvc]

LOOKING = (["status"], ["versions"], ["versions", "mood"])
LAYING = (["checkout", "HEAD"], ["checkout", "evil"], ["diff", "evil"], ["diff", "HEAD"])
RECORDING = (["run"], ["run", "--commit"])


# What others may make of a workspace: functions of it and of the folder that is to be spared.


def linked(name):
    def change(root, victim):
        replace_by_link(root / name, victim)

    return change


def linked_file(name):
    def change(root, victim):
        shutil.copyfile(root / name, victim / Path(name).name)
        replace_by_link(root / name, victim / Path(name).name)

    return change


def noted(path, wdir=None, folder="data", link=None, stage=None):
    """Name an output at `path` in a note of DVC of their own."""

    def change(root, victim):
        if link:
            replace_by_link(root / link, victim)
        where = path.format(victim=victim)
        wd = "" if wdir is None else f"wdir: {wdir.format(victim=victim)}\n"
        out = f"outs:\n- md5: {'a' * 32}\n  hash: md5\n  path: {where!r}\n"
        (root / folder).mkdir(parents=True, exist_ok=True)
        if stage is None:
            (root / folder / "notes.dvc").write_text(wd + out)
        else:
            about = {"cmd": f"touch {victim}/ran", "outs": [where]}
            about |= {} if wdir is None else {"wdir": wdir.format(victim=victim)}
            edit(root, "dvc.yaml", lambda note: note["stages"].update({stage: about}))

    return change


def own(stage, **about):
    """Change one of Refract's own stages."""

    def change(root, victim):
        filled = {
            key: [item.format(victim=victim) if isinstance(item, str) else item for item in value]
            if isinstance(value, list)
            else value
            for key, value in about.items()
        }

        def add(note):
            old = note["stages"][stage]
            note["stages"][stage] = old | {
                key: [*old.get(key, []), *value] if isinstance(value, list) else value
                for key, value in filled.items()
            }

        edit(root, "dvc.yaml", add)

    return change


def locked(**about):
    def change(root, victim):
        edit(
            root, "dvc.lock", lambda note: note["stages"]["materialise"]["outs"][0].update(**about)
        )

    return change


def listed(relpath, md5=None):
    """Let a list in the cache name a file that lies elsewhere."""

    def change(root, victim):
        store = root / ".dvc" / "cache"
        rows = [{"md5": md5 or store_file(store, b"evil"), "relpath": relpath}]
        evil = store_file(store, json.dumps(rows).encode(), ".dir")
        for out in ("data/corpus", "data/quarantine/documents"):
            store_folder(store, {"part.txt": out.encode()})
        edit(
            root,
            "dvc.lock",
            lambda note: note["stages"]["materialise"]["outs"][0].update(md5=evil),
        )

    return change


def written(name, content):
    def change(root, victim):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content.format(victim=victim))

    return change


def raw_note(text):
    return written("data/raw.dvc", text)


STRUCTURAL = {
    **{
        f"{name} is a link": linked(name)
        for name in (
            *("data", "data/views", "data/vectors", "data/corpus", "data/transforms"),
            *("data/metrics", "data/metrics/scores", "data/quarantine", "data/quarantine/labels"),
            *(".dvc", ".dvc/tmp", ".dvc/cache", "data/views/mood.lance"),
            *("data/quarantine/documents/deep/er", "data/views/a/b/c"),
        )
    },
    **{
        f"{name} is a linked file": linked_file(name)
        for name in ("dvc.lock", "dvc.yaml", "params.yaml", ".dvc/config")
    },
    "note below a link": noted("../x/diary.txt", link="x"),
    "note of a link itself": noted("../x", link="x"),
    "note below nested links": noted("../a/x/y", link="a/x"),
    "note below a link of another case": noted("../X/y", link="x"),
    "absolute": noted("{victim}/diary.txt"),
    "dots": noted("../../victim/diary.txt"),
    "dots in the middle": noted("a/b/../../../../victim/diary.txt"),
    "the root": noted(".."),
    "wdir absolute": noted("diary.txt", wdir="{victim}"),
    "wdir dots": noted("diary.txt", wdir="../../victim"),
    "wdir is a link": noted("diary.txt", wdir="../x", link="x"),
    "url": noted("s3://bucket/x"),
    "remote url": noted("remote://store/x"),
    "a drive": noted("C:\\evil"),
    "a drive with slashes": noted("C:/evil"),
    "backslashes": noted("..\\..\\victim\\diary.txt"),
    "stage absolute": noted("{victim}/x", stage="other"),
    "stage wdir": noted("x", wdir="../victim", stage="other"),
    "stage below a link": noted("x/diary.txt", link="x", stage="other"),
    "note in a folder": noted("../../../victim/x", folder="deep/er"),
    "own stage with an output more": own("fit", outs=["models"]),
    "own stage with one outside": own("fit", outs=["{victim}/x"]),
    "own stage with a metric outside": own("fit", metrics=["../victim/x"]),
    "own stage with a plot outside": own("fit", plots=["../victim/x"]),
    "own stage reads outside": own("fit", deps=["{victim}/diary.txt"]),
    "own stage reads a url": own("fit", deps=["https://evil.example/x"]),
    "own stage reads params outside": own("fit", params=[{"../../victim/p.yaml": ["x"]}]),
    "own stage elsewhere": own("fit", wdir="../victim"),
    "own stage many times": own("fit", foreach=[1, 2]),
    "own stage a matrix": own("fit", matrix={"x": [1]}),
    "lock with a path as md5": locked(md5="../../../../victim/x"),
    "lock with files": locked(files=[{"relpath": "../../../victim/x", "md5": "a" * 32}]),
    "lock with a cloud": locked(cloud={"store": {"etag": "x"}}),
    "lock with a path outside": locked(path="../victim"),
    "lock without md5": locked(md5=None),
    "raw imported": raw_note(
        f"deps:\n- path: https://evil.example/x\nouts:\n- path: raw\n  md5: {'a' * 32}\n"
    ),
    "raw imported from git": raw_note(
        "frozen: true\ndeps:\n- path: x\n  repo:\n    url: ext::sh -c touch% {victim}/ran\n"
        f"outs:\n- path: raw\n  md5: {'a' * 32}\n"
    ),
    "raw elsewhere": raw_note(f"wdir: ../../victim\nouts:\n- path: raw\n  md5: {'a' * 32}\n"),
    "raw with another output": raw_note(f"outs:\n- path: views\n  md5: {'a' * 32}\n"),
    "deep": written("dvc.yaml", "[" * 100_000),
    "deep lock": written("dvc.lock", "stages: " + "[" * 100_000),
    "deep note": written("data/notes.dvc", "[" * 100_000),
    "a list": written("dvc.yaml", "- 1\n"),
    "no yaml": written("dvc.lock", "a: b: c\n"),
    "not text": written("data/notes.dvc", "\x00\x01"),
    "half merged lock": written("dvc.lock", "<<<<<<< a\nx: 1\n=======\nx: 2\n>>>>>>> b\n"),
    "half merged stages": written("dvc.yaml", "<<<<<<< a\nx: 1\n=======\nx: 2\n>>>>>>> b\n"),
    "half merged note": written("data/notes.dvc", "<<<<<<< a\nx: 1\n=======\nx: 2\n>>>>>>> b\n"),
    "half merged params": written("params.yaml", "<<<<<<< a\nx: 1\n=======\nx: 2\n>>>>>>> b\n"),
}


@pytest.fixture(autouse=True)
def _strangers(monkeypatch, tmp_path):
    monkeypatch.delenv("REFRACT_TRUST", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)


@pytest.fixture(scope="module")
def _origin(tmp_path_factory):
    folder = tmp_path_factory.mktemp("others")
    return make_workspace_of_others(folder / "origin", folder / "store")


@pytest.fixture
def spared(tmp_path):
    """A folder outside with something in it, where also what is run would leave its mark."""
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "diary.txt").write_text("mine")
    return tmp_path / "victim"


@pytest.fixture
def origin(_origin, tmp_path):
    return shutil.copytree(_origin, tmp_path / "origin", symlinks=True)


def hostile(origin, spared, change):
    """Return a clone at the version `evil`, with the links that git would not carry."""
    change(origin, spared)
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


@pytest.mark.parametrize("trusted", [False, True], ids=["stranger", "trusted"])
@pytest.mark.parametrize("case", STRUCTURAL)
def test_a_workspace_that_leads_elsewhere_is_refused(origin, spared, case, trusted):
    root = hostile(origin, spared, STRUCTURAL[case])
    before = everything(spared)
    vouched = {"REFRACT_TRUST": "*"} if trusted else {}
    for words in (["checkout", "evil"], ["diff", "evil"], ["run"]):
        code, said = said_in_one_line(root, words, **vouched)
        assert code == 2, (words, said)
    for words in LOOKING:
        said_in_one_line(root, words, **vouched)
    assert everything(spared) == before


@pytest.mark.parametrize("case", STRUCTURAL)
def test_a_version_that_leads_elsewhere_is_refused_before_it_is_laid_out(origin, spared, case):
    root = hostile(origin, spared, STRUCTURAL[case])
    before = everything(spared)
    git(origin.parent, "clone", "--quiet", "--branch", "view/mood/v1", str(root), "clone")
    clone = origin.parent / "clone"
    carried = git(root, "diff", "--name-only", "view/mood/v1", "evil")
    for words in (["checkout", "evil"], ["diff", "evil"]):
        code, said = said_in_one_line(clone, words, REFRACT_TRUST="*")
        if carried:
            assert code == 2, (words, said)
    assert everything(spared) == before
    assert git(clone, "rev-parse", "HEAD") == git(clone, "rev-parse", "view/mood/v1^{commit}")


def test_a_linked_folder_of_notes_is_refused_to_strangers(origin, spared):
    """Who vouches for the workspace may keep `.refract` on another disk."""
    root = hostile(origin, spared, linked(".refract"))
    before = everything(spared)
    for words in (["checkout", "evil"], ["diff", "evil"], ["run"], ["status"], ["trust", "--yes"]):
        code, said = said_in_one_line(root, words)
        assert code == 2, (words, said)
    assert everything(spared) == before


LISTS = ["../../../victim/diary.txt", "/etc/x", "a/../../x", "", ".", "a//b", "..\\x", "C:/x"]


@pytest.mark.parametrize("relpath", LISTS)
def test_a_list_in_the_cache_that_leads_elsewhere_is_refused(origin, spared, relpath):
    root = hostile(origin, spared, listed(relpath))
    before = everything(spared)
    code, said = said_in_one_line(root, ["checkout", "HEAD"], REFRACT_TRUST="*")
    assert (code, "outside of its folder" in said) == (2, True), said
    assert everything(spared) == before


def test_a_list_whose_contents_have_paths_for_names_is_refused(origin, spared):
    root = hostile(origin, spared, listed("a", md5="../../../../victim/diary.txt"))
    code, _ = said_in_one_line(root, ["checkout", "HEAD"], REFRACT_TRUST="*")
    assert code == 2


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
def test_what_an_archive_would_run_is_asked_for(origin, spared, case):
    commit(origin, "evil")
    git(origin, "tag", "evil")
    RUNNING[case](origin, spared)
    before = everything(spared)
    for words in (*LAYING, *RECORDING, ["versions"], ["rollback", "mood", "v1"]):
        code, said = said_in_one_line(origin, words)
        assert code == 2, (words, said)
        assert "refract trust" in said or "git" in said, said
    said_in_one_line(origin, ["status"])
    said_in_one_line(origin, ["trust"])
    assert everything(spared) == before


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
def test_where_dvc_would_be_led_is_asked_for(origin, spared, case):
    root = hostile(origin, spared, SETTINGS[case])
    before = everything(spared)
    for words in (["checkout", "HEAD"], ["diff", "HEAD"], ["rollback", "mood", "v1"]):
        code, said = said_in_one_line(root, words)
        assert code == 2, (words, said)
    assert everything(spared) == before


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
def test_what_params_would_send_or_read_is_asked_for(origin, spared, case):
    line, words = ASKED[case]
    root = hostile(origin, spared, written("params.yaml", line + "\n"))
    before = everything(spared)
    code, said = said_in_one_line(root, words)
    assert code == 2, said
    assert "refract trust" in said or "label.key_env" in said
    assert everything(spared) == before


def test_links_among_documents_and_labels_are_asked_for(origin, spared):
    root = hostile(origin, spared, linked("data/raw/notes"))
    assert said_in_one_line(root, ["ingest"])[0] == 2
    assert "is a link, and" in said_in_one_line(root, ["run"])[1]


MODULES = ("dvc", "yaml", "configobj", "prefect", "uvicorn", "sitecustomize", "json", "flows")


@pytest.mark.parametrize("name", MODULES)
def test_no_module_of_a_workspace_is_imported_by_a_process_of_ours(origin, spared, name):
    def change(root, victim):
        written(f"{name}/__init__.py", "open('{victim}/ran', 'w')\n")(root, victim)
        written(f"{name}/__main__.py", "open('{victim}/ran', 'w')\n")(root, victim)

    root = hostile(origin, spared, change)
    for words in (["checkout", "HEAD"], ["diff", "HEAD"], ["versions"]):
        said_in_one_line(root, words, REFRACT_TRUST="*")
    assert not (spared / "ran").exists()


@pytest.mark.parametrize("file", [".env", "prefect.toml", "pyproject.toml"])
def test_settings_of_prefect_in_a_workspace_are_asked_for(origin, spared, file):
    text = {
        ".env": "PREFECT_API_URL=http://evil.example/api\n",
        "prefect.toml": "[api]\nurl = 'http://evil.example/api'\n",
        "pyproject.toml": "[tool.prefect.api]\nurl = 'http://evil.example/api'\n",
    }[file]
    root = hostile(origin, spared, written(file, text))
    (root / "data" / "raw").mkdir(exist_ok=True)
    (root / "data" / "raw" / "a.csv").write_text("id,text\n1,x\n")
    for words in (["run"], ["ingest"]):
        code, said = said_in_one_line(root, words)
        assert (code, "Prefect is set up by" in said) == (2, True), said


def test_a_folder_that_looks_like_a_repository_is_not_taken_for_one(origin, spared):
    bare = origin / "inner"
    git(origin, "clone", "--quiet", "--bare", str(origin), str(bare))
    for key, value in {"core.worktree": "..", "core.fsmonitor": f"touch {spared}/ran"}.items():
        git(bare, "config", "--file", str(bare / "config"), key, value)
    shutil.copyfile(origin / "params.yaml", bare / "params.yaml")
    for words in (["versions"], ["run"], ["checkout", "HEAD"]):
        code, said = said_in_one_line(bare, words)
        assert code == 2, said
    assert not (spared / "ran").exists()


def test_the_lock_of_the_suite_itself_is_one_that_is_laid_out(origin, tmp_path):
    """All above is refused for what is wrong in it, not because nothing would work."""
    git(tmp_path, "clone", "--quiet", str(origin), "clone")
    clone = tmp_path / "clone"
    code, _, said = refract(clone, "checkout", "main", REFRACT_TRUST="*")
    assert code == 0, said
    assert (clone / "data" / "views" / "part.txt").is_file()
    assert refract(clone, "diff", "view/mood/v1", REFRACT_TRUST="*")[0] == 0
