"""What a method of the quality benchmark is given, and what it is scored on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks import datasets
from benchmarks.encoded import Codes

SIZES = (3_000, 1_000, 300, 100, 30)
EACH = 2  # labels a class at least, where the labels are so few that classes would be missing
LATER = (300, 3_000)  # labels of the parts where texts arrive after the fit
UNSEEN = (3_000, 300)  # labels of the parts where half of the classes are never labelled
NOISE = 0.2  # share of wrong labels
FEW = 4  # classes below which none is hidden
SEED = 1

Coded = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Vectors (n, d) and features (n, f) of the same texts, and these (n,)."""


@dataclass(frozen=True)
class Trial:
    """Texts to learn from with their classes, the corpus beside them, and texts to be scored.

    hidden: classes that no label shows; the truth of scored texts may be one of them.
    """

    part: str
    known: Coded
    y: np.ndarray
    corpus: Coded
    scored: Coded
    truth: np.ndarray
    classes: int
    hidden: tuple[int, ...] = ()


def trials(
    codes: Codes, split: datasets.Split, sizes: Sequence[int], parts: Sequence[str]
) -> Iterator[Trial]:
    """Cut one aspect into the trials that are asked for."""
    names = np.unique(split.held_out["label"].to_list() + split.labelled["label"].to_list())
    both = (split.labelled, split.held_out)
    y, truth = (np.searchsorted(names, part["label"].to_list()) for part in both)
    known, scored = (
        (*codes.of(part), np.array(part["text"].to_list(), object))
        for part in (split.labelled, split.held_out)
    )
    cut = _Cut(known, y, scored, truth, len(names))
    if "labels" in parts:
        for size in sizes:
            least = max(size, EACH * len(names)) if size == min(SIZES) else size
            yield cut.of(f"{size:,} labels", stratified(y, least))
    if "wrong" in parts:
        yield cut.of(f"{NOISE:.0%} of labels wrong", np.arange(len(y)), mistaken(y))
    if "later" in parts:
        for size in LATER:
            yield from cut.later(size)
    if "unseen" in parts and len(names) >= FEW:
        for size in UNSEEN:
            yield from cut.unseen(size)


@dataclass(frozen=True)
class _Cut:
    known: Coded
    y: np.ndarray
    scored: Coded
    truth: np.ndarray
    classes: int

    def of(self, part: str, rows: np.ndarray, y: np.ndarray | None = None) -> Trial:
        """Learn from some rows; the scored texts are the corpus, without their labels."""
        own = self.y[rows] if y is None else y
        return Trial(
            part, _at(self.known, rows), own, self.scored, self.scored, self.truth, self.classes
        )

    def later(self, size: int) -> Iterator[Trial]:
        """Give the first half of the texts as the corpus; score it, and the half that comes later.

        Both halves are cut to the same number of texts, since the scores depend on it.
        """
        half = len(self.truth) // 2
        rows, there = stratified(self.y, size), np.arange(half)
        for part, seen in (("in the corpus", there), ("arrived later", there + half)):
            yield Trial(
                f"{size:,} labels, {part}",
                _at(self.known, rows),
                self.y[rows],
                _at(self.scored, there),
                _at(self.scored, seen),
                self.truth[seen],
                self.classes,
            )

    def unseen(self, size: int) -> Iterator[Trial]:
        """Hide half of the classes from the labels, not from the corpus; score them, then all."""
        hidden = np.random.default_rng(SEED).permutation(self.classes)[: self.classes // 2]
        shown = np.flatnonzero(~np.isin(self.y, hidden))
        rows = shown[stratified(self.y[shown], size)]
        new = np.flatnonzero(np.isin(self.truth, hidden))
        for part, seen in (
            ("classes never labelled", new),
            ("half of the classes never labelled, all texts", np.arange(len(self.truth))),
        ):
            yield Trial(
                f"{size:,} labels, {part}",
                _at(self.known, rows),
                self.y[rows],
                self.scored,
                _at(self.scored, seen),
                self.truth[seen],
                self.classes,
                tuple(int(c) for c in hidden),
            )


def _at(coded: Coded, rows: np.ndarray) -> Coded:
    x, features, texts = coded
    return x[rows], features[rows], texts[rows]


def stratified(y: np.ndarray, size: int) -> np.ndarray:
    """Draw `size` rows, two of each class first where there is room, then any."""
    order = np.random.default_rng(SEED).permutation(len(y))
    place = np.empty(len(y), np.int64)
    for c in np.unique(y):
        own = order[y[order] == c]
        place[own] = np.arange(len(own))
    first = np.concatenate([order[place[order] < EACH], order[place[order] >= EACH]])
    return np.sort(first[:size])


def mistaken(y: np.ndarray) -> np.ndarray:
    """Give a share of the rows another class, any of the others."""
    random, k = np.random.default_rng(SEED), int(y.max()) + 1
    wrong = random.random(len(y)) < NOISE
    return np.where(wrong, (y + random.integers(1, max(k, 2), size=len(y))) % k, y)
