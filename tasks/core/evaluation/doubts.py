"""Labels that are probably wrong, by what fits say of texts that they have not seen.

Confident learning (Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in
Dataset Labels", JAIR 70, 2021): a text is doubted where another label is as likely as it is in the
mean for the texts that carry that one; here it must be far likelier than its own, too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.core.numerics.split import fates
from tasks.core.transforms.posterior_space import posterior
from tasks.core.transforms.training_set import Labelled, first_ids

FOLDS = 5
POSTERIOR = ("auto", "discriminant", "kernel")  # methods whose vectors begin with a posterior
ODDS = 10
"""How many times as likely as its own label another one must be. Measured over 14 aspects with 10 %
of 300 and 1,000 labels made wrong, precision and recall: without it 40 and 81 %, 7 times 62 and 62,
10 times 66 and 58, 20 times 74 and 49 %."""
INSTEAD = "auto"  # of the others: the question is what the labels say, not how they are laid out


@dataclass(frozen=True)
class DoubtedText:
    """A doubt with the text it is about; figures are rounded to four decimals.

    label: all that it carries; p_label, p_likelier: their posteriors; margin: the difference.
    """

    id: str
    label: list[str]
    likelier: str
    p_label: float
    p_likelier: float
    margin: float
    text: str


@dataclass(frozen=True)
class Doubt:
    """A labelled text, and the label that fits without it find likelier.

    p_given, p_likelier: their posteriors, in [0, 1]; of several given labels the sum.
    """

    id: str
    given: tuple[str, ...]
    likelier: str
    p_given: float
    p_likelier: float

    @property
    def margin(self) -> float:
        """The normalised margin, in [-1, 1]: the lower, the likelier the label is wrong."""
        return self.p_given - self.p_likelier

    def of(self, text: str) -> DoubtedText:
        """Return the doubt with the text that it is about."""
        return DoubtedText(
            id=self.id,
            label=list(self.given),
            likelier=self.likelier,
            p_label=round(self.p_given, 4),
            p_likelier=round(self.p_likelier, 4),
            margin=round(self.margin, 4),
            text=text,
        )


@dataclass(frozen=True)
class Doubts:
    """The doubted texts, the most doubtful first, of so many that were `asked` about.

    unasked: texts with a label that too few carry to leave one out.
    """

    asked: int
    unasked: int
    listed: list[Doubt]


def doubts(known: Labelled, method: str, settings: Mapping[str, object], seed: int) -> Doubts:
    """Find the labelled texts of `known` whose own label others would not have got them.

    Each fifth of the texts is left out in turn. Where t_c is the mean posterior of c over the texts
    that carry it, a text is doubted if the likeliest of all c with p_c ≥ t_c is none of its own,
    and ODDS times as likely as all of these together. A text under several ids counts once.
    """
    p = left_out(known, method, settings, seed)
    given = _given(known)
    own = np.zeros_like(p, dtype=bool)
    own[[row for row, each in given for _ in each], [c for _, each in given for c in each]] = True
    rows = [row for row, _ in given if np.isfinite(p[row]).all()]
    asked, mine = p[rows], own[rows]
    counts = mine.sum(axis=0)
    mean = np.where(mine, asked, 0).sum(axis=0) / np.maximum(counts, 1)
    threshold = np.where(counts > 0, mean, np.inf)
    sure = np.where(asked >= threshold, asked, -1.0)
    best = sure.argmax(axis=1) if len(rows) else np.empty(0, np.int64)
    found = []
    for at, row in enumerate(rows):
        other = int(best[at])
        if sure[at, other] < 0 or mine[at, other]:
            continue
        labels = tuple(known.names[c] for c in np.flatnonzero(mine[at]))
        own_p, likely = float(asked[at][mine[at]].sum()), float(asked[at, other])
        if likely < ODDS * own_p:
            continue
        name = known.names[other]
        found.append(Doubt(known.rows.ids[row], labels, name, own_p, likely))
    found.sort(key=lambda doubt: (doubt.margin, doubt.id))
    return Doubts(len(rows), len(given) - len(rows), found)


def asked_instead(method: str) -> str:
    """Return the method whose posteriors are asked for the doubts of a view by `method`."""
    return method if method in POSTERIOR else INSTEAD


def left_out(
    known: Labelled, method: str, settings: Mapping[str, object], seed: int
) -> NDArray[np.float64]:
    """Return (n, k) posteriors over `known.names` by fits that have not seen the text of the row.

    Rows are NaN where a label of theirs is on no other text.
    """
    fold = (fates(known.rows.hashes, seed) * FOLDS).astype(int)
    asked = asked_instead(method)
    settings = settings if asked == method else {}
    place = {name: c for c, name in enumerate(known.names)}
    found = np.full((len(known.y), len(known.names)), np.nan)
    for number in range(FOLDS):
        train, rows = known.part(np.flatnonzero(fold != number)), np.flatnonzero(fold == number)
        rows = rows[np.isin(known.y[rows], train.y)]
        if not len(rows) or len(np.unique(train.y)) < 2:
            continue
        trial = train.fit(asked, settings, seed)
        told = np.zeros((len(rows), len(known.names)))
        columns = [place[name] for name in trial.labels]
        told[:, columns] = posterior(known.part(rows).seen_by(trial), len(columns))
        found[rows] = told
    return found


def _given(known: Labelled) -> list[tuple[int, list[int]]]:
    """Return a row of each text, by its first id, with all labels that this id was given."""
    first = first_ids(known.rows.ids, known.rows.hashes)
    labels: dict[str, list[int]] = defaultdict(list)
    row_of: dict[str, int] = {}
    for row, (key, text) in enumerate(zip(known.rows.ids, known.rows.hashes, strict=True)):
        if first[text] == key:
            labels[key].append(int(known.y[row]))
            row_of.setdefault(key, row)
    return [(row_of[key], each) for key, each in labels.items()]
