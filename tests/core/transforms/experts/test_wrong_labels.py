"""Wrong labels are told from hard texts: only they make the pool sharper than labels as given."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from tasks.core.transforms.experts.weights import pool, pooled
from tasks.core.transforms.experts.wrong_labels import SHARPER, sharpened

K, N = 5, 2_000
FIRST = {"one": 0.5, "other": 0.5}


def opinions(wrong: float, apart: float = 4.0) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """Return what two experts say of texts, their labels, of which a share is wrong, and the truth.

    An expert's scores are apart · [truth] + noise: hard texts where `apart` is small.
    """
    random = np.random.default_rng(0)
    truth = random.integers(K, size=N)
    given = np.where(random.random(N) < wrong, random.integers(K, size=N), truth)
    scores = {
        name: torch.from_numpy(apart * np.eye(K)[truth] + random.normal(size=(N, K))).log_softmax(1)
        for name in FIRST
    }
    return scores, torch.from_numpy(given), torch.from_numpy(truth)


@pytest.mark.parametrize("apart", [0.5, 1.0, 2.0, 4.0])
def test_where_labels_are_right_weights_stay_however_hard_the_texts(apart: float) -> None:
    scores, given, _ = opinions(wrong=0.0, apart=apart)
    weights = pool(scores, given, FIRST).weights
    assert sharpened(weights, scores, given) == (weights, 0.0)


def test_the_share_of_labels_that_were_drawn_by_chance_is_estimated() -> None:
    scores, given, _ = opinions(wrong=0.25)
    found = sharpened(pool(scores, given, FIRST).weights, scores, given)
    assert found.drawn_by_chance == pytest.approx(0.25, abs=0.03)


def test_where_labels_are_wrong_the_pool_foretells_the_right_ones_better() -> None:
    scores, given, truth = opinions(wrong=0.25)
    weights = pool(scores, given, FIRST).weights
    found = sharpened(weights, scores, given).weights
    losses = [
        -float(pooled(scores, each).gather(1, truth[:, None]).mean()) for each in (weights, found)
    ]
    assert losses[1] < losses[0] / 2


def test_all_weights_grow_by_one_factor() -> None:
    scores, given, _ = opinions(wrong=0.25)
    weights = {"one": 0.4, "other": 0.2}
    found = sharpened(weights, scores, given).weights
    factors = [found[name] / weights[name] for name in weights]
    assert factors[0] == pytest.approx(factors[1])
    assert min(abs(factors[0] - beta) for beta in SHARPER) < 1e-9
    assert factors[0] > 1


def test_labels_that_say_nothing_of_their_texts_make_nothing_sharper() -> None:
    scores, given, _ = opinions(wrong=1.0)
    weights = {"one": 0.05, "other": 0.05}
    assert sharpened(weights, scores, given) == (weights, 0.0)


def test_neither_the_order_of_texts_nor_that_of_classes_matters() -> None:
    scores, given, _ = opinions(wrong=0.25)
    weights = {"one": 0.4, "other": 0.2}
    random = np.random.default_rng(1)
    rows, classes = (torch.from_numpy(random.permutation(size)) for size in (N, K))
    place = torch.argsort(classes)
    turned = {name: each[rows][:, classes] for name, each in scores.items()}
    apart, together = (
        sharpened(weights, *each) for each in ((turned, place[given[rows]]), (scores, given))
    )
    assert apart.weights == together.weights
    assert apart.drawn_by_chance == pytest.approx(together.drawn_by_chance)
