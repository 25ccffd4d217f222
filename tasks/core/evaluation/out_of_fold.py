"""What transforms say of texts whose labels they have not seen, and how sure that is.

The figures are times 100, with bootstrap intervals over texts (see judgement).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.evaluation.bootstrap import Interval, resamples, spread
from tasks.core.evaluation.gains import Gain, Part, gains
from tasks.core.numerics.rows import unit_rows
from tasks.core.numerics.split import fates
from tasks.core.transforms.base import Transform
from tasks.core.transforms.training_set import Labelled

FOLDS = 5
LIMIT = 5_000  # texts of a part; of more, every second, third, …: intervals are narrow by then
CLOSED = ("auto", "discriminant", "kernel", "fda", "identity")  # fitted in a fraction of a second
INSTEAD = "discriminant"  # where a method takes minutes: the question is what the labels say


@dataclass(frozen=True)
class Evidence:
    """Figures of texts out of fold.

    lead: accuracy minus the share of the largest class. agreement: Cohen's kappa, 0 where labels
    and predictions have nothing to do with each other. gains: of the view over the base vectors,
    by measure; without those that the texts are too few to define.
    """

    texts: int
    accuracy: float
    largest: float
    lead: Interval
    agreement: Interval
    gains: dict[str, Gain]


def held_part(known: Labelled, held: Labelled, trial: Transform) -> Part:
    """Ask a trial about the texts held out of its labels; none may be left to ask about."""
    once = _answerable(held, trial).once()
    once = once.part(np.arange(0, len(once.y), 1 + len(once.y) // LIMIT))
    if not len(once.y):
        nothing = np.empty((0, 2), np.int64)
        return Part(once.y, once.y, nothing, once.rows.vectors, once.rows.vectors)
    reading = once.seen_by(trial)
    place = {name: c for c, name in enumerate(known.names)}
    said = np.array([place[name] for name in trial.labels], np.int64)[reading.label]
    labels: dict[str, list[int]] = defaultdict(list)
    for key, c in zip(held.rows.ids, held.y.tolist(), strict=True):
        labels[key].append(c)
    pairs = [(at, c) for at, key in enumerate(once.rows.ids) for c in labels[key]]
    given = np.array(pairs, np.int64).reshape(-1, 2)
    vectors = unit_rows(once.rows.vectors), unit_rows(reading.vectors)
    return Part(once.y, said, given, *vectors)


def _answerable(held: Labelled, trial: Transform) -> Labelled:
    """Leave out labels that the trial has not met: nobody could know them."""
    met = np.array([name in set(trial.labels) for name in held.names])
    return held.part(np.flatnonzero(met[held.y]))


def folds(
    known: Labelled, method: str, settings: Mapping[str, object], seed: int
) -> Iterator[Part]:
    """Put away a fifth of the texts in turn, and ask what was learnt from the others."""
    fold = (fates(known.rows.hashes, seed) * FOLDS).astype(int)
    cheap = method in CLOSED
    for number in range(FOLDS):
        train = known.part(np.flatnonzero(fold != number))
        held = known.part(np.flatnonzero(fold == number))
        if len(held.y) and len(np.unique(train.y)) > 1:
            trial = train.fit(method if cheap else INSTEAD, settings if cheap else {}, seed)
            yield held_part(known, held, trial)


def evidence(parts: list[Part], seed: int) -> Evidence:
    """Return what the parts show together; they hold different texts."""
    starts = np.cumsum([0, *(len(part.y) for part in parts)])
    said = np.concatenate([part.said for part in parts])
    given = np.concatenate(
        [part.given + np.array([start, 0]) for part, start in zip(parts, starts[:-1], strict=True)]
    )
    n, k = int(starts[-1]), int(max(said.max(), given[:, 1].max())) + 1
    counts = resamples(n, seed)
    right = np.zeros(n)
    right[given[given[:, 1] == said[given[:, 0]], 0]] = 1
    shares = np.bincount(given[:, 1], minlength=k) / n
    largest = np.zeros(n)
    largest[given[given[:, 1] == shares.argmax(), 0]] = 1
    hits, lead = counts @ right / n, counts @ (right - largest) / n

    def chance(weight: NDArray[Any]) -> float:
        """Return how often labels and predictions would agree if neither knew the other."""
        p = np.bincount(said, weight, k) / n
        q = np.bincount(given[:, 1], weight[given[:, 0]], k) / n
        return float(p @ q)

    by_chance = np.array([chance(row) for row in counts])
    whole = chance(np.ones(n))
    kappa = (hits - by_chance) / np.maximum(1 - by_chance, 1e-9)
    value = (right.mean() - whole) / max(1 - whole, 1e-9)
    return Evidence(
        n,
        100 * float(right.mean()),
        100 * float(shares.max()),
        spread(100 * float((right - largest).mean()), 100 * lead),
        spread(100 * float(value), 100 * kappa),
        gains(parts, counts, seed),
    )
