"""What transforms say of labelled texts that they have not seen, and how sure that is.

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
from tasks.core.evaluation.metrics import Floats, Ints, PairSampler, cosines
from tasks.core.numerics.rows import unit_rows
from tasks.core.numerics.split import fates
from tasks.core.transforms.base import Transform
from tasks.core.transforms.training_set import Labelled

FOLDS = 5
LIMIT = 5_000  # texts of a part; of more, every second, third, …: intervals are narrow by then
DRAWN = 20_000  # triplets over all parts
CLOSED = ("auto", "discriminant", "kernel", "fda", "identity")  # fitted in a fraction of a second
INSTEAD = "discriminant"  # where a method takes minutes: the question is what the labels say


@dataclass(frozen=True)
class Part:
    """Texts that one trial has not seen: one label each, what it says, and both spaces.

    y, said: (n,) into the names of `Labelled`. given: (m, 2) pairs of a text and one of its labels,
    of which it may have several. before, after: unit rows in the generic space and in the view.
    """

    y: Ints
    said: Ints
    given: NDArray[np.int64]
    before: Floats
    after: Floats


@dataclass(frozen=True)
class Evidence:
    """Figures of texts out of fold.

    lead: accuracy minus the share of the largest class. agreement: Cohen's kappa, 0 where labels
    and predictions have nothing to do with each other. part: how often the view puts a text nearer
    to one of its label than to one of another; gain: that minus the same of the base vectors'.
    """

    texts: int
    accuracy: float
    largest: float
    lead: Interval
    agreement: Interval
    base: float | None
    part: Interval | None
    gain: Interval | None


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


def folds(known: Labelled, method: str, settings: Mapping[str, Any], seed: int) -> Iterator[Part]:
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
    base, part, gain = _triplets(parts, starts, counts, seed)
    return Evidence(
        n,
        100 * float(right.mean()),
        100 * float(shares.max()),
        spread(100 * float((right - largest).mean()), 100 * lead),
        spread(100 * float(value), 100 * kappa),
        base,
        part,
        gain,
    )


def _triplets(
    parts: list[Part], starts: NDArray[Any], counts: NDArray[np.uint8], seed: int
) -> tuple[float | None, Interval | None, Interval | None]:
    """Compare triplets within each part, since each has a space of its own."""
    rows, won = [], []
    for part, start in zip(parts, starts[:-1], strict=True):
        draw = PairSampler(part.y, seed)
        if not draw.possible:
            continue
        anchor = draw.anchors(max(1, round(DRAWN * len(part.y) / starts[-1])))
        near, far = draw.positives(anchor), draw.negatives(anchor)
        each = []
        for x in (part.before, part.after):
            gap = cosines(x, anchor, near) - cosines(x, anchor, far)
            each.append((gap > 0) + 0.5 * (gap == 0))
        rows.append(np.stack([anchor, near, far]) + start)
        won.append(np.stack(each))
    if not rows:
        return None, None, None
    at, score = np.concatenate(rows, axis=1), np.concatenate(won, axis=1)
    drawn = np.full((len(counts), 2), np.nan)
    for number, row in enumerate(counts.astype(np.float32)):
        weight = row[at].prod(axis=0)
        if weight.any():
            drawn[number] = score @ weight / weight.sum()
    base, view = 100 * score.mean(axis=1)
    gains = 100 * (drawn[:, 1] - drawn[:, 0])
    return float(base), spread(float(view), 100 * drawn[:, 1]), spread(float(view - base), gains)
