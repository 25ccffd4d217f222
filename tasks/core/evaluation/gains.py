"""What a view gains over the base vectors on texts whose labels no fit has seen: three figures.

The vectors may be in the sample of the corpus, as those of the view's own texts are. Each trial has
a space of its own, so texts are compared within their part alone. Per resample nothing is clustered
or compared anew: see `bootstrap`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.core.evaluation.bootstrap import Interval, spread, v_measures
from tasks.core.evaluation.measures import BRIEF
from tasks.core.evaluation.metrics import (
    Floats,
    Ints,
    PairSampler,
    clusterings,
    cosines,
    neighbour_shares,
)
from tasks.core.numerics.threads import one_thread

DRAWN = 20_000  # triplets over all parts
NEAREST = 10  # neighbours looked at, or half as many as a class has texts in its part

Counts = NDArray[np.uint8]
Both = tuple[NDArray[np.float64], NDArray[np.float64]]


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
class Gain:
    """A figure times 100 of the base vectors and of the view, and the view's minus theirs.

    texts: how many share their label with another of their part, and so tell something.
    """

    title: str
    texts: int
    before: float
    after: Interval
    gain: Interval


def gains(parts: Sequence[Part], counts: Counts, seed: int) -> dict[str, Gain]:
    """Return V-measure, triplets and neighbours of all parts together, by measure.

    A figure that no part defines is left out. counts: (b, n), how often each text is drawn.
    """
    near, texts = _near(parts), sum(int(_shared(part.y).sum()) for part in parts)
    titles = BRIEF | {"knn": f"kNN@{near}"}
    made: dict[str, Callable[[Part, Counts], Both | None]] = {
        "v_measure": lambda part, drawn: _clusters(part, drawn, seed),
        "triplets": lambda part, drawn: _triplets(part, drawn, seed, counts.shape[1]),
        "knn": lambda part, drawn: _neighbours(part, drawn, seed, near),
    }
    with one_thread():  # many small products
        found = {measure: _together(parts, counts, make) for measure, make in made.items()}
    return {
        measure: Gain(
            titles[measure],
            texts,
            float(each[0, 0]),
            spread(float(each[1, 0]), each[1, 1:]),
            spread(float(each[1, 0] - each[0, 0]), each[1, 1:] - each[0, 1:]),
        )
        for measure, each in found.items()
        if each is not None
    }


def _shared(y: Ints) -> NDArray[np.bool_]:
    shared: NDArray[np.bool_] = np.bincount(y)[y] > 1
    return shared


def _near(parts: Sequence[Part]) -> int:
    """Return how many neighbours a text is asked about, of those that could carry its label."""
    classes = sum(len(np.unique(part.y)) for part in parts)
    return int(np.clip(sum(len(part.y) for part in parts) / classes / 2, 1, NEAREST))


def _together(
    parts: Sequence[Part], counts: Counts, make: Callable[[Part, Counts], Both | None]
) -> NDArray[np.float64] | None:
    """Return a figure × 100 before and after, (2, 1 + b): of all texts once, and of each draw.

    make: of a part its sums before and after (2, 1 + b), and what they are to be divided by.
    """
    every = np.concatenate([np.ones((1, counts.shape[1]), np.uint8), counts])
    start, sums, weights = 0, np.zeros((2, len(every))), np.zeros(len(every))
    for part in parts:
        found = make(part, every[:, start : start + len(part.y)])
        start += len(part.y)
        if found is not None:
            sums, weights = sums + found[0], weights + found[1]
    if not weights[0]:
        return None
    return 100 * sums / np.where(weights > 0, weights, np.nan)


def _clusters(part: Part, drawn: Counts, seed: int) -> Both | None:
    k = len(np.unique(part.y))
    if k < 2:
        return None
    size = drawn.sum(1, dtype=np.float64)
    found = [
        np.mean([v_measures(part.y, run, drawn) for run in clusterings(x, k, seed)], axis=0)
        for x in (part.before, part.after)
    ]
    return size * np.stack(found), size


def _triplets(part: Part, drawn: Counts, seed: int, n: int) -> Both | None:
    draw = PairSampler(part.y, seed)
    if not draw.possible:
        return None
    anchor = draw.anchors(max(1, round(DRAWN * len(part.y) / n)))
    near, far = draw.positives(anchor), draw.negatives(anchor)
    gaps = [cosines(x, anchor, near) - cosines(x, anchor, far) for x in (part.before, part.after)]
    won = np.stack([(gap > 0) + 0.5 * (gap == 0) for gap in gaps], axis=1)
    sums = np.empty((len(drawn), 3))
    for number, row in enumerate(drawn.astype(np.float32)):
        weight = row[anchor] * row[near] * row[far]
        sums[number] = *(weight @ won), weight.sum()
    return sums[:, :2].T, sums[:, 2]


def _neighbours(part: Part, drawn: Counts, seed: int, near: int) -> Both | None:
    """Look at texts that share their label with another of their part."""
    before, after = (neighbour_shares(x, part.y, seed, near) for x in (part.before, part.after))
    if before is None or after is None:
        return None
    anchors = before[0]
    able = np.flatnonzero(_shared(part.y)[anchors])
    weight = drawn[:, anchors[able]].astype(np.float64)
    return (weight @ np.stack([before[1], after[1]], axis=1)[able]).T, weight.sum(1)
