"""Which label a view gives to texts whose label it has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.numerics.rows import unit_rows
from tasks.core.transforms.base import Prediction
from tasks.core.transforms.training_set import Labelled


@dataclass(frozen=True)
class ConfusionCell:
    """Texts of one true label that were read as `likeliest`, and their share of that label's."""

    true: str
    likeliest: str
    texts: int
    share: float


@dataclass(frozen=True)
class Confusion:
    """Held-out texts by true label (rows) and likeliest label (columns).

    labels: in an order in which labels of like meaning are neighbours. counts: (k, k). sizes:
    (k,), held-out texts of each true label, also of those read as a label that is not here.
    """

    labels: tuple[str, ...]
    counts: NDArray[np.int64]
    sizes: NDArray[np.int64]

    @property
    def texts(self) -> int:
        """The number of texts in the matrix."""
        return int(self.counts.sum())

    @property
    def agreement(self) -> float:
        """The share of texts whose likeliest label is the true one."""
        return float(np.trace(self.counts) / max(self.texts, 1))

    def busiest(self, most: int) -> Confusion:
        """Keep the labels that take part in most mistakes, at most so many, in their order."""
        wrong = self.counts - np.diag(np.diag(self.counts))
        first = np.argsort(-(wrong.sum(0) + wrong.sum(1)), kind="stable")[:most]
        kept = np.sort(first)
        labels = tuple(self.labels[c] for c in kept)
        return Confusion(labels, self.counts[np.ix_(kept, kept)], self.sizes[kept])

    def cells(self) -> list[ConfusionCell]:
        """Return what is not zero."""
        sizes = self.sizes
        return [
            ConfusionCell(
                true=self.labels[i],
                likeliest=self.labels[j],
                texts=int(self.counts[i, j]),
                share=round(float(self.counts[i, j] / sizes[i]), 4),
            )
            for i, j in zip(*np.nonzero(self.counts), strict=True)
        ]

    def mistaken(self, most: int) -> list[ConfusionCell]:
        """Return the pairs that are confused most often."""
        wrong = [cell for cell in self.cells() if cell.true != cell.likeliest]
        wrong.sort(key=lambda cell: (-cell.texts, -cell.share, cell.true))
        return wrong[:most]


def confusion(held: Labelled, reading: Prediction, known: tuple[str, ...]) -> Confusion:
    """Count held-out texts by true and likeliest label; known: what `reading.label` indexes."""
    k = len(held.names)
    likeliest = np.searchsorted(held.names, np.array(known))[reading.label]
    counts = np.zeros((k, k), np.int64)
    np.add.at(counts, (held.y, likeliest), 1)
    order = _alike(held.rows.vectors, held.y, k)
    ordered = counts[np.ix_(order, order)]
    return Confusion(tuple(held.names[c] for c in order), ordered, ordered.sum(1))


def _alike(x: NDArray[Any], y: NDArray[Any], k: int) -> NDArray[np.int64]:
    """Order the classes so that neighbours are alike: leaves of their centroids' tree.

    Bar-Joseph, Gifford and Jaakkola, "Fast optimal leaf ordering", 2001.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage

    if k < 3:
        return np.arange(k)
    sums = np.zeros((k, x.shape[1]), np.float32)
    np.add.at(sums, y, unit_rows(x))
    tree = linkage(unit_rows(sums), "average", optimal_ordering=True)
    return np.asarray(leaves_list(tree), np.int64)
