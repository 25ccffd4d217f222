"""A workspace with three recorded versions, and what one sees at each."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from flows import Workspace
from flows.run import run
from tests.serving import with_server
from tests.world import documents, make_world, set_params, write_documents, write_labels

AUTHOR = "Ada <ada@example.org>"
SUBJECTS = [
    "run: 60 → 72 texts",
    "run: mood 30 labels, V 100 → 100, view v2",
    "run: 60 texts; 2 views: mood v1, topic v1",
]


def call(root, *command, fails=False):
    """Run a command, with `refract` on the PATH, and return what it printed."""
    place = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = with_server(PATH=place)
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, timeout=280)
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stdout + done.stderr


def dvc(root, *arguments, **options):
    return call(root, sys.executable, "-m", "dvc", *arguments, **options)


def git(root, *arguments):
    identity = ("-c", "user.name=user", "-c", "user.email=user@example.org")
    return call(root, "git", *identity, *arguments).strip()


def make_history(folder, model):
    """Make a workspace with a remote and three recorded versions, and note what is seen of each."""
    root = make_world(folder / "world", model, git=True, method="auto")
    dvc(root, "remote", "add", "--quiet", "--default", "store", str(folder / "store"))
    set_params(root, record={"author": AUTHOR, "push": True})
    rows, seen_at = documents(), {}
    write_documents(root, rows[:60])
    write_labels(root, "topic", [row for n, row in enumerate(rows[:60]) if n % 3 != 1])
    for version, labelled in (("v1", rows[:40:2]), ("v2", rows[:60:2]), ("v3", rows[:60:2])):
        write_labels(root, "mood", labelled)
        write_documents(root, rows[:60] if version != "v3" else rows)
        assert run(root, commit=True).record.commit
        git(root, "tag", f"whole/{version}")
        seen_at[version] = seen(root)
    (folder / "seen.json").write_text(json.dumps(seen_at))


def copy(root, to):
    """Copy a workspace with the links that it shares with its cache."""
    call(root, "cp", "-a", str(root), str(to))
    return to


def seen(root):
    """Return searches in every space, and every id and vector, bit for bit, as JSON has them."""
    found = {}
    for name in ("base", "mood", "topic"):
        view = Workspace(root).view(name)
        rows = view.frame().sort("id")
        hits = [[hit["id"], hit["score"]] for hit in view.hits("thank you, the parcel", k=9)]
        found[name] = [hits, rows["id"].to_list(), rows["vector"].to_numpy().tobytes().hex()]
    return found


def corrupted(root):
    """Return the objects in DVC's cache whose content is not what their name says."""
    cache = root / ".dvc" / "cache" / "files" / "md5"
    objects = [path for path in cache.glob("*/*") if path.is_file()]
    assert objects
    return [
        path
        for path in objects
        if hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        != path.parent.name + path.name.removesuffix(".dir")
    ]
