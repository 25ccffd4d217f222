"""LanceDB's own client in a process of its own, which knows of a workspace where a table lies."""

import json
import os
import subprocess
import sys
from pathlib import Path

from flows import Workspace

ROOT = Path(__file__).parents[1]

OPEN = """
import json, sys, lancedb
import refract.lancedb
folder, name, *words = sys.argv[1:]
table = lancedb.connect(folder).open_table(name)
def ids(query):
    return [row["id"] for row in table.search(query).limit(5).to_list()]
"""
ASK = OPEN + "print(json.dumps([ids(query) for query in words]))"
BY_COSINE = ASK.replace("limit", 'distance_type("cosine").limit')


def client(script, folder, *words, name="mood", **more):
    """Run a script in a folder that has nothing to do with the workspace."""
    known = {"PYTHONPATH": str(ROOT), "REFRACT_TRUST": "*"}
    env = {**os.environ, **known, **more}
    command = [sys.executable, "-P", "-W", "error", "-c", script, str(folder), name, *words]
    return subprocess.run(command, cwd=os.sep, env=env, capture_output=True, text=True)


def answer(*asked, **more):
    done = client(*asked, **more)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def last_line(done):
    assert done.returncode == 1
    return done.stderr.strip().splitlines()[-1]


def found(root, query, name="mood"):
    return [hit["id"] for hit in Workspace(root).view(name).hits(query, k=5)]
