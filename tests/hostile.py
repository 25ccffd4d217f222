"""Workspaces made by others, to be cloned or unpacked: small, recorded, and up to no good.

Nothing of Refract makes them: notes, lists and objects of DVC are written by hand, as whoever means
harm would.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import yaml

from flows.init import make_workspace


def git(root: Path, *words: str) -> str:
    identity = ("-c", "user.name=mallory", "-c", "user.email=m@example.org")
    quiet = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")
    done = subprocess.run(
        ["git", *identity, *quiet, *words], cwd=root, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def store_file(store: Path, content: bytes, suffix: str = "") -> str:
    """Put an object where DVC looks for it, and return its name."""
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    place = store / "files" / "md5" / digest[:2] / f"{digest[2:]}{suffix}"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return f"{digest}{suffix}"


def store_folder(store: Path, files: Mapping[str, bytes]) -> str:
    """Put a folder there, and return its name."""
    rows = [{"md5": store_file(store, content), "relpath": path} for path, content in files.items()]
    return store_file(store, json.dumps(rows).encode(), ".dir")


def make_workspace_of_others(folder: Path, store: Path) -> Path:
    """Make a recorded workspace in git, its data at the remote `store`, as `refract` leaves one."""
    make_workspace(folder, git=False)
    shutil.rmtree(folder / ".refract")
    for name, content in {
        ".gitignore": "/.refract/\n",
        ".dvcignore": "/.refract/\n",
        ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
        ".dvc/config": f"[core]\n    remote = store\n['remote \"store\"']\n    url = {store}\n",
        "data/.gitignore": "/corpus\n/vectors\n/transforms\n/views\n",
        "data/quarantine/.gitignore": "/documents\n/labels\n",
        "data/labels/mood.csv": "id,label\n",
        "data/metrics/scores/mood.json": '{"fingerprint": "f", "texts": 2}\n',
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    pipeline = yaml.safe_load((folder / "dvc.yaml").read_text())["stages"]
    lock = {}
    for stage, about in pipeline.items():
        outs = [next(iter(out)) for out in about["outs"]]
        made = [(out, store_folder(store, {"part.txt": out.encode()})) for out in outs]
        notes = [{"path": out, "hash": "md5", "md5": md5} for out, md5 in made]
        lock[stage] = {"cmd": about["cmd"], "outs": notes}
    write_lock(folder, lock)
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "good")
    git(folder, "tag", "-a", "-m", "v1", "view/mood/v1")
    return folder


def write_lock(folder: Path, stages: Mapping[str, object]) -> None:
    (folder / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}))


def edit(folder: Path, file: str, change: Callable[[dict], None]) -> None:
    """Change one of the notes, as YAML."""
    note = yaml.safe_load((folder / file).read_text())
    change(note)
    (folder / file).write_text(yaml.safe_dump(note))


def commit(folder: Path, message: str) -> None:
    """Commit all but what git ignores, and all links."""
    git(folder, "add", "--all")
    links = [path.relative_to(folder) for path in folder.rglob("*") if path.is_symlink()]
    for link in links:
        git(folder, "add", "--force", "--", str(link))
    git(folder, "commit", "--quiet", "--allow-empty", "-m", message)


def replace_by_link(path: Path, target: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def everything(*folders: Path) -> dict[str, str]:
    """Return what lies below `folders`, to be compared afterwards."""
    found = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_symlink():
                found[str(path)] = f"link to {path.readlink()}"
            elif path.is_file():
                found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
            else:
                found[str(path)] = "folder"
    return found


def clone(origin: Path) -> Path:
    """Clone a workspace beside itself."""
    git(origin.parent, "clone", "--quiet", str(origin), "clone")
    return origin.parent / "clone"
