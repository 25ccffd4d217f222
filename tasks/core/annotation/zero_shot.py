"""Weak labels from the encoder alone: which label's description a text is nearest to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tasks.core.labels.taxonomy import Label


def described(labels: Sequence[Label]) -> list[str]:
    """Return what stands for each label in the encoder's space."""
    return [f"{label.name}: {label.description}".rstrip(": ") for label in labels]


def weak_labels(x: np.ndarray, y: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest label of each text (n,), and the rows that are sure enough.

    x: (n, d) texts, y: (c, d) labels, unit rows. Sure is the `share` of each label's texts whose
    cosine leads that to the second label by most, so that no label takes all places.
    """
    s = x @ y.T
    best = s.argmax(1)
    second, first = np.sort(s, axis=1)[:, -2:].T
    margin = first - second
    sure = []
    for c in range(len(y)):
        rows = np.flatnonzero(best == c)
        order = np.argsort(-margin[rows], kind="stable")
        sure.append(rows[order[: int(np.ceil(share * len(rows)))]])
    return best, np.sort(np.concatenate(sure))
