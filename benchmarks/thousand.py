"""A workspace of a thousand instructions: one is made by the real code, the others are copies.

A copy has a label file, a transform and a view of its own, and all notes of them; `refract status`
finds it up to date.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.command_costs import refract
from flows.init import make_workspace
from flows.state.label_sources import label_sources
from flows.state.staleness import fit_fingerprints
from tasks.core.settings.params import load_params
from tasks.core.transforms.card import CARD
from tasks.core.workspace.manifest import read_manifest, write_manifest
from tasks.core.workspace.manifests import Card
from tasks.core.workspace.paths import Paths
from tests.world import documents, make_model, set_params, write_documents, write_labels

FIRST = "topic"


def make_thousand(folder: str, instructions: int) -> dict[str, object]:
    """Make the workspace `folder`/world; return the names of its instructions."""
    root = Path(folder) / "world"
    make_workspace(root, git=True)
    model = make_model(Path(folder) / "model")
    embed = {"model": str(model), "precision": "float32"}
    set_params(root, embed=embed, record={"author": "Benchmark <benchmark@example.org>"})
    rows = [
        row | {"id": f"{row['id']}-{n}", "text": f"{row['text']}, {n}"}
        for n in range(3)
        for row in documents()
    ]
    write_documents(root, rows)
    write_labels(root, FIRST, rows)
    refract(root, "run")
    names = [f"aspect{n:04}" for n in range(instructions - 1)]
    for name in names:
        _copy(Paths(root), name)
    return {"names": [FIRST, *names]}


def _copy(paths: Paths, name: str) -> None:
    """Copy the label file, transform, view and scores of the first instruction to `name`."""
    shutil.copy(paths.labels / f"{FIRST}.csv", paths.labels / f"{name}.csv")
    shutil.copy(paths.metric(FIRST), paths.metric(name))
    shutil.copy(paths.view_stamp(FIRST), paths.view_stamp(name))
    shutil.copytree(paths.view_table(FIRST), paths.view_table(name))
    kept = paths.kept_transform(FIRST, "x").parent
    shutil.copytree(kept, paths.kept_transform(name, "x").parent)
    shutil.copytree(paths.transform(FIRST), paths.transform(name))


def settle(folder: str) -> dict[str, object]:
    """Note in each copy's card what it would be fitted from: its name is part of that."""
    paths = Paths(Path(folder) / "world")
    params, files = load_params(paths.params), label_sources(paths)
    for name, file in files.items():
        card = paths.transform(name) / CARD
        noted = read_manifest(card, Card) or Card()
        made_from = fit_fingerprints(paths, params, name, file)
        write_manifest(card, noted.changed(instruction=name, made_from=made_from))
    return {"settled": len(files)}
