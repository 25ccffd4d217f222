"""The pool's weights: they are what theory says, and no expert stays that has not earned it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tasks.core.transforms.experts.weights import EARNED, earned, pool, pooled

K, N = 4, 400
FIRST = {"good": 0.5, "other": 0.5, "blind": 0.5}


def opinions(seed: int = 0, n: int = N) -> tuple[dict[str, Tensor], Tensor]:
    """Return what three experts say of n texts, and the truth; the third knows nothing of it."""
    random = np.random.default_rng(seed)
    truth = random.integers(K, size=n)
    said = {
        "good": 2.0 * np.eye(K)[truth] + random.normal(size=(n, K)),
        "other": 1.0 * np.eye(K)[truth] + random.normal(size=(n, K)),
        "blind": random.normal(size=(n, K)),
    }
    logs = {name: torch.from_numpy(each).float().log_softmax(1) for name, each in said.items()}
    return logs, torch.from_numpy(truth)


def log_loss(log_p: Tensor, truth: Tensor) -> float:
    return -float(log_p.gather(1, truth[:, None]).mean())


def test_a_pool_is_the_normalised_product_of_powers() -> None:
    scores, _ = opinions(n=20)
    product = scores["good"].exp() ** 0.7 * scores["other"].exp() ** 0.2
    found = pooled(scores, {"good": 0.7, "other": 0.2}).exp()
    torch.testing.assert_close(found, product / product.sum(1, keepdim=True))
    torch.testing.assert_close(found.sum(1), torch.ones(20))


def test_without_any_weight_every_class_is_as_likely() -> None:
    scores, _ = opinions(n=5)
    torch.testing.assert_close(pooled(scores, {}).exp(), torch.full((5, K), 1 / K))


def test_gaussian_experts_are_weighed_by_what_they_know() -> None:
    """Scores a·[truth] + noise: their log-likelihood ratios ask for the weights 2 and 1."""
    random = np.random.default_rng(1)
    truth = random.integers(K, size=20_000)
    good = 2.0 * np.eye(K)[truth] + random.normal(size=(20_000, K))
    other = 1.0 * np.eye(K)[truth] + random.normal(size=(20_000, K))
    scores = {"good": torch.from_numpy(good).float(), "other": torch.from_numpy(other).float()}
    found = pool(scores, torch.from_numpy(truth), FIRST).weights
    assert found == pytest.approx({"good": 2.0, "other": 1.0}, abs=0.08)


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 1_000), n=st.integers(20, 200))
def test_a_pool_is_no_worse_than_its_best_expert_by_more_than_the_pull_costs(
    seed: int, n: int
) -> None:
    scores, truth = opinions(seed, n)
    whole = pool(scores, truth, FIRST)
    assert all(weight > 0 for weight in whole.weights.values())
    for name in scores:
        alone = pool({name: scores[name]}, truth, FIRST)
        assert whole.loss <= alone.loss + 0.3 / n


def test_the_order_of_experts_texts_and_classes_does_not_matter() -> None:
    scores, truth = opinions()
    found = pool(scores, truth, FIRST)
    turned = dict(reversed(scores.items()))
    assert pool(turned, truth, FIRST).weights == pytest.approx(found.weights, abs=1e-3)
    rows, turn = torch.randperm(N), torch.tensor([2, 0, 3, 1])
    other = {name: each[rows][:, turn] for name, each in scores.items()}
    again = pool(other, turn.argsort()[truth[rows]], FIRST)
    assert again.weights == pytest.approx(found.weights, abs=1e-3)


def test_an_expert_that_knows_nothing_is_dropped_and_the_others_are_worth_what_they_save() -> None:
    dropped = 0
    for seed in range(10):
        scores, truth = opinions(seed)
        whole, worth = earned(scores, truth, FIRST)
        dropped += "blind" not in whole.weights
        assert [each.expert for each in worth] == list(scores)
        for each in worth:
            assert (each.weight > 0) == (each.expert in whole.weights)
            assert each.saves == 0 if each.weight == 0 else each.saves * N >= EARNED - 0.01
    assert dropped >= 7


def test_one_expert_is_never_dropped() -> None:
    scores, truth = opinions()
    whole, [only] = earned({"blind": scores["blind"]}, truth, FIRST)
    assert only.expert == "blind" and whole.loss == pytest.approx(only.alone, abs=1e-6)
