"""A pool without any label: what the names of labels have taught a discriminant of the corpus.

Self-training from names (Meng and others, "Text Classification Using Label Names Only", EMNLP 2020,
here in closed form): the names say where each text may belong, the moments of the corpus are shared
among the labels by that, and what is solved from these, with the names, says it anew.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.core.numerics.tensors import as_array, as_tensor, at_work
from tasks.core.settings.calibrated import CalibratedDiscriminant
from tasks.core.settings.fit_section import DiscriminantSettings
from tasks.core.transforms.discriminant import Discriminant, residual_basis
from tasks.core.transforms.experts.asked import Experts
from tasks.core.transforms.experts.label_names import LabelNames, read_names
from tasks.core.transforms.experts.pool import Pool
from tasks.core.transforms.plda import PldaModel, SufficientStatistics, solve
from tasks.core.transforms.posterior_space import DOUBT
from tasks.core.transforms.sample import Corpus, Texts, make_corpus
from tasks.core.workspace.errors import InputError

ROUNDS = (
    3  # accuracy over seven aspects by names alone 46.1, after one round 49.2, after three 50.9
)
FIRST = 3.0  # weight of the names in the first round; with 1 or 2 accuracy is 0.9 or 0.3 less
NAMES = 0.7  # weight of the names beside the discriminant in each round after
SHRINKAGE = 0.3  # λ; with 0.05 accuracy is 1.9 less
TAUGHT, SURE = 0.7, 0.45
"""How far the mean confidence is from 1/k to 1: of the discriminant while it learns, and of the
view, of which nothing shows how right it is. Sharper views lose neighbours: with 0.7, 0.55, 0.45,
0.35 kNN@10 of event_type is 75.8, 82.1, 84.0, 84.9, of the base vectors 82.6."""
UNKNOWN = 1e-260  # π, as good as 0: without labels nothing tells a text of none of them
STAND_INS = 8
"""Texts for a label that no text has. Measured with 300 labels of half of the classes, accuracy
over all texts with none, 3, 8: event_type 66.8, 79.5, 85.5, ekman 57.5, 57.3, 57.5, domain 47.6,
54.6, 61.7."""
BETWEEN, HALVINGS = (1e-3, 1e3), 40  # temperatures, and how often their range is halved


class Taught(NamedTuple):
    """What the names have taught: p ∝ exp(ln p_d + 0.7 s), p_d by the model at temperature T."""

    names: LabelNames
    model: PldaModel
    temperature: float
    log_p: Tensor


def teach(names: Tensor, corpus: Corpus) -> Taught | None:
    """Learn from names (k, t, d) and texts without labels; log_p: (b, k), of these texts.

    None where the encoder reads all names alike.
    """
    x, rich = as_tensor(corpus.vectors), as_tensor(corpus.richest).double()
    read = read_names(names, x)
    if read is None:
        return None
    s, second, mean = read.scores(x), rich.T @ rich, rich.mean(0)
    log_p = torch.log_softmax(FIRST * s, dim=1)
    for _ in range(ROUNDS):
        p = log_p.exp().double()
        shared = SufficientStatistics(p.sum(0), p.T @ rich, second)
        model = solve(shared.more(_one_each(mean, s.shape[1])), SHRINKAGE)
        said = model.scores(rich)[:, :-1].float()
        temperature = tempered(said, TAUGHT)
        log_p = torch.log_softmax(torch.log_softmax(said / temperature, 1) + NAMES * s, dim=1)
    return Taught(read, model, temperature, log_p)


def _one_each(mean: Tensor, k: int) -> SufficientStatistics:
    """Return the moments of a text a label that is the corpus's mean: no label is without any."""
    return SufficientStatistics(mean.new_ones(k), mean.expand(k, -1), k * torch.outer(mean, mean))


def tempered(scores: Tensor, share: float) -> float:
    """Return the T at which the mean confidence of softmax(scores/T) is 1/k + share (1 - 1/k)."""
    least = 1 / scores.shape[1]
    wanted = least + share * (1 - least)
    low, high = BETWEEN
    for _ in range(HALVINGS):
        middle = math.sqrt(low * high)
        sure = float(torch.softmax(scores / middle, 1).amax(1).mean())
        low, high = (middle, high) if sure > wanted else (low, middle)
    return math.sqrt(low * high)


def fit_by_names(
    labels: tuple[str, ...], names: Tensor, corpus: Corpus, asked: DiscriminantSettings
) -> Pool:
    """Pool the names of `labels`, (k, t, d) in their order, and the discriminant that they taught.

    Both by the weights that they were taught with, as sharp as SURE says.
    """
    taught = teach(names, corpus)
    if taught is None:
        raise InputError(
            "the encoder reads the names of all labels alike; expected names that differ in"
            " meaning; name them otherwise, or describe them behind a colon"
        )
    basis, centre = residual_basis(as_tensor(corpus.vectors), asked.residual)
    used = CalibratedDiscriminant(
        temperature=taught.temperature,
        novelty=asked.novelty or UNKNOWN,
        floor=asked.floor,
        residual=basis.shape[1],
        shrinkage=SHRINKAGE,
    )
    model, basis = taught.model.to(torch.float32), basis.float().contiguous()
    rich = corpus.features is not None
    gate = Discriminant(model, basis, centre.float(), labels, used, None, rich=rich)
    soft = 1 / tempered(taught.log_p, SURE)
    weights = {"discriminant": soft, "names": NAMES * soft}
    return Pool(gate, Experts(names=taught.names), weights, (), None, DOUBT, None)


def surest(
    names: NDArray[Any], texts: Texts, wanted: Sequence[int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows of `texts`, sorted, that the names make surest, and which label (m,) of each.

    names: (k, t, d), of all labels; wanted: those that rows are asked of, STAND_INS each at most.
    """
    corpus = make_corpus(texts)
    with at_work():
        taught = teach(as_tensor(names), corpus)
    if taught is None:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    log_p = as_array(taught.log_p)
    best, found = log_p.argmax(1), []
    for label in wanted:
        own = np.flatnonzero(best == label)
        first = own[np.argsort(-log_p[own, label], kind="stable")][:STAND_INS]
        found += [(row, label) for row in corpus.places[first]]
    both = np.array(sorted(found), np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]
