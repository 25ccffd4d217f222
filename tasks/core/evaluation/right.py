"""How many texts of a corpus get their label, those that nobody has labelled among them.

Labelled texts are no fair sample where they were picked: what is worth labelling is hard. So the
figure is what the view itself expects, the mean of its confidence over texts that nobody has
labelled, put right by what texts held out say of confidences: the difference estimator of surveys
(Särndal, Swensson and Wretman, "Model Assisted Survey Sampling", 1992, section 6.3), as much of
the difference as its error leaves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.evaluation.bootstrap import Interval

DOUBT = 0.09  # by how much a mean confidence errs: a standard deviation, measured (RESULTS.md)
PICKED = 4  # texts that were picked, of which one says as much as one that was drawn at random
UNLIKE = 1.0  # of g below: by how much d may be off, as hard texts show it
USUAL, FEW = 0.2, 10  # variance of right minus confidence, measured; of how many texts, beforehand
WIDE = 1.96  # standard deviations to either side of 95 % of a normal distribution

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Answers:
    """Of m texts held out: whether each got its label, and how confident the trial was of it."""

    right: NDArray[np.bool_]
    sure: Floats


def share_right(sure: Floats, held: Answers) -> Interval | None:
    """Return about which share of the texts get their label, × 100; None where no text is asked.

    sure: (n,), how confident the view is of texts that nobody has labelled; where there are none,
    the figure is of those held out.

    p = mean(sure) + c. Before any text is held out, c is 0 ± DOUBT. Those held out show a mean d of
    right - sure, which is c ± e, e² = PICKED s² / m + (UNLIKE g)²: s² is their variance and USUAL,
    weighted m to FEW; g is how much surer the view is of the corpus, and about 0 where the labelled
    texts were drawn at random. Both together: c = d / (1 + e² / DOUBT²), and its variance is
    1 / (1 / DOUBT² + 1 / e²).
    """
    asked = sure if len(sure) else held.sure
    if not len(asked):
        return None
    expected, m = float(np.mean(asked)), len(held.right)
    mean, error = 0.0, math.inf
    if m:
        off: Floats = held.right - held.sure.astype(np.float64)
        mean, var = float(off.mean()), (float(off.var()) * m + USUAL * FEW) / (m + FEW)
        error = PICKED * var / m + (UNLIKE * (expected - float(np.mean(held.sure)))) ** 2
    variance = 1 / (1 / DOUBT**2 + 1 / error)
    value, wide = expected + mean * variance / error, WIDE * variance**0.5
    value = min(max(value, 0.0), 1.0)
    return Interval(100 * value, 100 * max(value - wide, 0.0), 100 * min(value + wide, 1.0))
