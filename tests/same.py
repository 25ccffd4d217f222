"""When two workspaces hold the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from flows import Workspace, stale
from tasks.core.files import read_json
from tasks.core.params import load_params
from tasks.core.paths import Paths


def rows(root: Path, name: str) -> pl.DataFrame:
    """Return the rows of a view, by id; AssertionError if an id is there twice."""
    frame = Workspace(root).view(name).frame().sort("id")
    assert frame["id"].is_unique().all(), f"{name} holds an id twice"
    return frame


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
        assert read_json(mine.metric(name)) == read_json(theirs.metric(name)) is not None
    assert mine.score_table.read_text() == theirs.score_table.read_text()
    assert leftovers(root) == []
    assert not stale.anything(mine, load_params(mine.params))


def leftovers(root: Path) -> list[Path]:
    """Return checkpoints and half-written files; what else .refract holds is disposable."""
    checkpoints = list((root / ".refract" / "shards").rglob("*.json"))
    return checkpoints + [
        path for path in (root / "data").rglob("*") if path.suffix in (".tmp", ".staging")
    ]
