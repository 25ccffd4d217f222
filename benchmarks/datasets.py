"""The real texts to measure on, and which of them a fit may see."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

LABELS = 3_000  # texts a transform sees, or half of them where that is fewer
HELD_OUT = 5_000  # texts scored at most
CLASS = 20  # texts that a class needs to be kept


@dataclass(frozen=True)
class Split:
    """Rows (id, text, label) that may be labelled, and rows whose label nobody sees."""

    aspect: str
    labelled: pl.DataFrame
    held_out: pl.DataFrame

    @property
    def classes(self) -> int:
        return self.held_out["label"].n_unique()


def require(data: Path, names: list[str]) -> None:
    """End the program in one line if a file is not there."""
    missing = [name for name in names if not (data / f"{name}.parquet").is_file()]
    if missing:
        files = ", ".join(f"{name}.parquet" for name in missing)
        raise SystemExit(f"{data}: {files} missing; expected Parquet files; give their --data")


def file(data: Path, name: str) -> Path:
    return data / f"{name}.parquet"


def read(data: Path, name: str) -> pl.DataFrame:
    """Return the set `name`, the first copy of each text."""
    return pl.read_parquet(file(data, name)).unique("text", keep="first", maintain_order=True)


def split(data: Path, name: str, aspect: str, labels: int = LABELS, seed: int = 1) -> Split:
    """Cut one aspect of a set into labelled and held-out texts; no text is in both."""
    rows = (
        pl.read_parquet(file(data, name))
        .select("id", "text", pl.col(aspect).alias("label"))
        .drop_nulls()
        .unique("text", keep="first", maintain_order=True)
        .filter(pl.len().over("label") >= CLASS)
    )
    order = np.random.default_rng(seed).permutation(len(rows))
    n = min(labels, len(rows) // 2)
    return Split(aspect, rows[order[:n]], rows[order[n : n + HELD_OUT]])


def put(root: Path, name: str, rows: pl.DataFrame) -> None:
    """Lay the texts of `rows`, with their ids, where a workspace takes documents from."""
    rows.select("id", "text").write_parquet(root / "data" / "raw" / f"{name}.parquet")
