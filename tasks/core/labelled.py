"""Labelled texts with all that is stored of them, and transforms fitted on a part of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tasks.core import base
from tasks.core.score import stratified_split
from tasks.core.transform import Reading, Transform, fit

BACKGROUND = 4_096  # texts for the mean and the residual's components: ten a dimension at 384


@dataclass(frozen=True)
class Labelled:
    """Labelled rows of the base table, y (n,) indexes `names`; and a sample of all its vectors."""

    rows: base.Rows
    y: np.ndarray
    names: tuple[str, ...]
    background: np.ndarray

    def part(self, at: np.ndarray) -> Labelled:
        """Return the rows at positions `at`."""
        features = self.rows.features
        rows = base.Rows(
            [self.rows.ids[row] for row in at],
            self.rows.vectors[at],
            None if features is None else features[at],
        )
        return replace(self, rows=rows, y=self.y[at])

    def split(self, held_out: float, seed: int) -> tuple[Labelled, Labelled]:
        """Return the rows to learn from and those held out; see `stratified_split`."""
        train, held = stratified_split(self.y, held_out, seed, self.rows.ids)
        return self.part(train), self.part(held)

    def fit(self, method: str, settings: Mapping[str, Any], seed: int) -> Transform:
        """Fit a transform on all of these rows."""
        rows = self.rows
        return fit(
            method,
            rows.vectors,
            self.y,
            self.names,
            self.background,
            settings,
            seed,
            rows.features,
        )

    def seen_by(self, transform: Transform) -> Reading:
        """Return what a transform says of these rows."""
        return transform.apply(self.rows.vectors, self.rows.features)


def labelled(table: Path, label_of: Mapping[str, str]) -> Labelled:
    """Look up the texts of `label_of`, label by id, in the base table."""
    rows = base.lookup(table, list(label_of))
    names = tuple(sorted(set(label_of.values())))
    code = {name: at for at, name in enumerate(names)}
    y = np.array([code[label_of[key]] for key in rows.ids], dtype=np.int64)
    return Labelled(rows, y, names, base.sample(table, BACKGROUND))
