"""A discriminant that has read the corpus: texts without a label count by what a teacher says.

Self-training in closed form (Nigam, McCallum, Thrun and Mitchell, "Text Classification from
Labeled and Unlabeled Documents Using EM", 2000, with one step): the moments of the labelled texts
and those of the corpus, each text shared among the classes, are summed, and solved once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from tasks.core.numerics.temperature import OutOfFold, fit_temperature
from tasks.core.transforms.cross_validation import CrossValidation, Fold
from tasks.core.transforms.plda import PldaModel, SufficientStatistics, solve

SHARES = (0.1, 0.5, 1.0)  # ω: what a text of the corpus counts beside a labelled one
SHRINKAGE = 0.05  # least λ: soft classes overlap, and say too little of the spread within


class Teacher(Protocol):
    """What tells the student of texts without a label: posteriors (n, k)."""

    def of_corpus(self) -> Tensor:
        """Return p of the corpus by all labels."""
        ...

    def without(self, fold: Fold) -> tuple[Tensor, Tensor]:
        """Return p of the corpus, and of the texts put away, by the labels of the others."""
        ...


@dataclass(frozen=True)
class Student:
    """A model of labelled texts and the corpus, its temperature, and ω."""

    model: PldaModel
    temperature: float
    share: float

    def log_p(self, x: Tensor) -> Tensor:
        """Return ln p over the known classes, (n, k), of unit rows x (n, f)."""
        A, B, C = self._plan
        u = (x - self.model.mu) @ self.model.W
        return torch.log_softmax((u**2) @ A + u @ B + C, dim=1)

    @cached_property
    def _plan(self) -> tuple[Tensor, Tensor, Tensor]:
        """The matrices of the scores over T, of the known classes alone; see `PldaModel.scores`."""
        A, B, C = self.model.quadratic()
        C, T = C + self.model.log_prior(), self.temperature
        return A[:-1].T / T, B[:-1].T / T, C[:-1] / T


class Corpus(NamedTuple):
    """Texts without a label, x (b, f) float64 unit rows, and how sure it is that their class is
    known, sure (b,) in [0, 1]; `second` is Σ sure · x xᵀ."""

    x: Tensor
    sure: Tensor
    second: Tensor


def read_corpus(x: Tensor, new: Tensor) -> Corpus:
    """Sum what does not depend on a teacher; new: (b,) the probability of a class never seen."""
    wide, sure = x.double(), 1 - new.double()
    return Corpus(wide, sure, (sure[:, None] * wide).T @ wide)


def teach(found: CrossValidation, corpus: Corpus, teacher: Teacher) -> tuple[Student, OutOfFold]:
    """Fit the student; return also what it says of texts that were put away.

    In each fold teacher and student are fitted anew, but for λ, T, γ and the weights of the pool,
    which come from all labels; the texts put away join the corpus, as all texts without a label do
    in the end: else T would be too low for a student that has read the texts it is asked about. ω
    is the one of least log-loss, with √T as `cross_validate` says.
    """
    shrinkage = max(found.shrinkage, SHRINKAGE)
    truth = torch.cat([fold.y for fold in found.folds])
    seen = []
    for fold in found.folds:
        around, away = teacher.without(fold)
        joined = _shared(
            fold.x, away, torch.ones(len(away), dtype=torch.float64), fold.x.T @ fold.x
        )
        seen.append(_shared(corpus.x, around, corpus.sure, corpus.second).more(joined))
    tried = []
    for share in SHARES:
        scores = []
        for fold, others in zip(found.folds, seen, strict=True):
            model = solve(fold.kept.more(_times(others, share)), shrinkage)
            scores.append(model.scores(fold.x)[:, :-1].float())
        raw = torch.cat(scores)
        fitted = fit_temperature(raw, truth, start=0.3)
        tried.append((fitted.loss, share, max(fitted.beta**-0.5, 1.0), raw))
    loss, share, temperature, raw = min(tried, key=lambda each: each[:2])
    whole = _shared(corpus.x, teacher.of_corpus(), corpus.sure, corpus.second)
    model = solve(found.moments.more(_times(whole, share)), shrinkage).to(torch.float32)
    rows = torch.cat([fold.rows for fold in found.folds])
    log_p = torch.log_softmax(raw / temperature, dim=1)
    return Student(model, temperature, share), OutOfFold(rows, log_p, loss)


def _shared(x: Tensor, p: Tensor, sure: Tensor, second: Tensor) -> SufficientStatistics:
    """Share each text among the classes: n = Σ p, sums = pᵀx, second = Σ x xᵀ."""
    p = sure[:, None] * p.double()
    return SufficientStatistics(p.sum(0), p.T @ x, second)


def _times(moments: SufficientStatistics, share: float) -> SufficientStatistics:
    return SufficientStatistics(share * moments.n, share * moments.sums, share * moments.second)
