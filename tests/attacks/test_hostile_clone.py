"""Hostile clones and archives × verbs: nothing outside is written, nothing of theirs is run.

Each case is tried by somebody who has agreed to nothing, and those that are refused in any case
also by somebody who trusts everybody. In both one line and exit code 2 is all that there is.
"""

from __future__ import annotations

import json
import shutil

import pytest

from tests.attacks.clones import LOOKING, hostile, linked, linked_file, said_in_one_line, written
from tests.commands import refract
from tests.hostile import edit, everything, git, replace_by_link, store_file, store_folder

pytestmark = [pytest.mark.attack, pytest.mark.dvc, pytest.mark.usefixtures("strangers")]


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


@pytest.mark.parametrize("trusted", [False, True], ids=["stranger", "trusted"])
@pytest.mark.parametrize("case", STRUCTURAL)
def test_a_workspace_that_leads_elsewhere_is_refused(origin, victim, case, trusted):
    root = hostile(origin, victim, STRUCTURAL[case])
    before = everything(victim)
    vouched = {"REFRACT_TRUST": "*"} if trusted else {}
    for words in (["checkout", "evil"], ["diff", "evil"], ["run"]):
        code, said = said_in_one_line(root, words, **vouched)
        assert code == 2, (words, said)
    for words in LOOKING:
        said_in_one_line(root, words, **vouched)
    assert everything(victim) == before


@pytest.mark.parametrize("case", STRUCTURAL)
def test_a_version_that_leads_elsewhere_is_refused_before_it_is_laid_out(origin, victim, case):
    root = hostile(origin, victim, STRUCTURAL[case])
    before = everything(victim)
    git(origin.parent, "clone", "--quiet", "--branch", "view/mood/v1", str(root), "clone")
    clone = origin.parent / "clone"
    carried = git(root, "diff", "--name-only", "view/mood/v1", "evil")
    for words in (["checkout", "evil"], ["diff", "evil"]):
        code, said = said_in_one_line(clone, words, REFRACT_TRUST="*")
        if carried:
            assert code == 2, (words, said)
    assert everything(victim) == before
    assert git(clone, "rev-parse", "HEAD") == git(clone, "rev-parse", "view/mood/v1^{commit}")


def test_a_linked_folder_of_notes_is_refused_to_strangers(origin, victim):
    """Who vouches for the workspace may keep `.refract` on another disk."""
    root = hostile(origin, victim, linked(".refract"))
    before = everything(victim)
    for words in (["checkout", "evil"], ["diff", "evil"], ["run"], ["status"], ["trust", "--yes"]):
        code, said = said_in_one_line(root, words)
        assert code == 2, (words, said)
    assert everything(victim) == before


LISTS = ["../../../victim/diary.txt", "/etc/x", "a/../../x", "", ".", "a//b", "..\\x", "C:/x"]


@pytest.mark.parametrize("relpath", LISTS)
def test_a_list_in_the_cache_that_leads_elsewhere_is_refused(origin, victim, relpath):
    root = hostile(origin, victim, listed(relpath))
    before = everything(victim)
    code, said = said_in_one_line(root, ["checkout", "HEAD"], REFRACT_TRUST="*")
    assert (code, "outside of its folder" in said) == (2, True), said
    assert everything(victim) == before


def test_a_list_whose_contents_have_paths_for_names_is_refused(origin, victim):
    root = hostile(origin, victim, listed("a", md5="../../../../victim/diary.txt"))
    code, _ = said_in_one_line(root, ["checkout", "HEAD"], REFRACT_TRUST="*")
    assert code == 2


def test_a_folder_that_looks_like_a_repository_is_not_taken_for_one(origin, victim):
    bare = origin / "inner"
    git(origin, "clone", "--quiet", "--bare", str(origin), str(bare))
    for key, value in {"core.worktree": "..", "core.fsmonitor": f"touch {victim}/ran"}.items():
        git(bare, "config", "--file", str(bare / "config"), key, value)
    shutil.copyfile(origin / "params.yaml", bare / "params.yaml")
    for words in (["versions"], ["run"], ["checkout", "HEAD"]):
        code, said = said_in_one_line(bare, words)
        assert code == 2, said
    assert not (victim / "ran").exists()


def test_the_lock_of_the_suite_itself_is_one_that_is_laid_out(origin, tmp_path):
    """All above is refused for what is wrong in it, not because nothing would work."""
    git(tmp_path, "clone", "--quiet", str(origin), "clone")
    clone = tmp_path / "clone"
    code, _, said = refract(clone, "checkout", "main", REFRACT_TRUST="*")
    assert code == 0, said
    assert (clone / "data" / "views" / "part.txt").is_file()
    assert refract(clone, "diff", "view/mood/v1", REFRACT_TRUST="*")[0] == 0
