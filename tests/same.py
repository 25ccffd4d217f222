"""When two workspaces hold the same."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from flows import Workspace
from flows.state import staleness, wholeness
from tasks.core.settings.params import load_params
from tasks.core.store import tables
from tasks.core.workspace.files import read_json
from tasks.core.workspace.paths import Paths


def rows(root: Path, name: str) -> pl.DataFrame:
    """Return the rows of a view, by id; AssertionError if an id is there twice."""
    frame = Workspace(root).view(name).frame().sort("id")
    assert frame["id"].is_unique().all(), f"{name} holds an id twice"
    return frame


def assert_same_scores(mine: Path, theirs: Path) -> None:
    """Same scores; the gate's figures but for what rounding does to comparisons of a few texts.

    And `right` but for a few points: it is about the texts that the corpus had at the fit.
    """
    a, b = (read_json(file) or {} for file in (mine, theirs))
    one, other = a.pop("gate"), b.pop("gate")
    right, other_right = (
        {"right": scores.pop("right"), **scores["intervals"].pop("right")} for scores in (a, b)
    )
    assert right == pytest.approx(other_right, abs=10)
    assert a == b
    assert one == {
        key: value if isinstance(value, str) else pytest.approx(value, abs=1)
        for key, value in other.items()
    }


def assert_same(root: Path, other: Path, names: tuple[str, ...] = ("mood", "topic")) -> None:
    """Same rows in base and views but for rounding, same scores, nothing left over or to do."""
    for name in ("base", *names):
        mine, theirs = rows(root, name), rows(other, name)
        assert mine.columns == theirs.columns
        exact = [key for key in mine.columns if mine[key].dtype not in (pl.Array, pl.Float32)]
        assert mine.select(exact).equals(theirs.select(exact))
        for key in set(mine.columns) - set(exact):
            a, b = (frame[key].to_numpy().astype(float) for frame in (mine, theirs))
            np.testing.assert_allclose(a, b, atol=2e-3)
    mine, theirs = Paths(root), Paths(other)
    for name in names:
        assert_same_scores(mine.metric(name), theirs.metric(name))
    assert mine.score_table.read_text() == theirs.score_table.read_text()
    assert leftovers(root) == []
    assert not staleness.anything(mine, load_params(mine.params))


def leftovers(root: Path) -> list[Path]:
    """Return checkpoints and half-written files; what else .refract holds is disposable."""
    checkpoints = list((root / ".refract" / "shards").rglob("*.json"))
    return checkpoints + [
        path for path in (root / "data").rglob("*") if path.suffix in (".tmp", ".staging")
    ]


def truth(root: Path) -> dict[str, object]:
    """Return what two workspaces share that went the same way, as plain values to compare.

    Also checks what must hold in each alone: nothing is left over or to do, and what belongs
    together is of one fit.
    """
    paths = Paths(root)
    assert not staleness.anything(paths, load_params(paths.params))
    assert wholeness.mixtures(paths) == {}
    found: dict[str, object] = {}
    for name in ("base", *Workspace(root).views):
        frame = rows(root, name)
        kept = [key for key in frame.columns if frame[key].dtype not in (pl.Array, pl.Float32)]
        found[f"rows of {name}"] = frame.select(kept).rows()
        vectors = np.round(frame["vector"].to_numpy().astype(float), 2) + 0.0
        found[f"vectors of {name}"] = np.abs(vectors).sum(axis=1).round(0).tolist()
    for file in sorted([*paths.metrics.rglob("*.*"), *paths.transforms.rglob("*.json")]):
        card = read_json(file) if file.suffix == ".json" else file.read_text()
        if isinstance(card, dict):
            card = {key: value for key, value in card.items() if key not in ("sha256", "settings")}
        found[paths.inside(file)] = card
    for name in Workspace(root).views:
        assert wholeness.is_live(paths, name), f"{name}: the live view is of another transform"
    listed = sorted(paths.inside(file) for file in paths.labels.rglob("*"))
    found["labels"] = listed
    if (root / ".git").is_dir():
        found |= _recorded(root)
    return found


def _recorded(root: Path) -> dict[str, object]:
    def ask(*words: str) -> list[str]:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    # Who made a commit is in its subject: "rollback/mood: 20 labels" or "run: mood 20 labels".
    lines = [line.partition(": ")[2] for line in ask("log", "--format=%s")]
    subjects = [re.sub(r"^\w+ (?=\d+ labels)", "", line) for line in lines]
    tags = ask("for-each-ref", "refs/tags", "--format=%(refname:strip=2) %(contents:subject)")
    return {"log": subjects, "tags": tags, "changed": ask("status", "--porcelain")}


def orphaned(root: Path) -> list[Path]:
    """Return the data files in tables' folders that no version of the table names."""
    paths = Paths(root)
    found = []
    for table in (paths.base_table, *(paths.view_table(name) for name in Workspace(root).views)):
        dataset = tables.open_table(table)
        named = {
            file.path
            for version in dataset.versions()
            for fragment in dataset.checkout_version(version["version"]).get_fragments()
            for file in fragment.metadata.files
        }
        found += [path for path in (table / "data").iterdir() if path.name not in named]
    return found
