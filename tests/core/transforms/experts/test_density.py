"""Texts of classes that no label shows: found where there are any, nothing where there are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from tasks.core.numerics.rows import unit_rows
from tasks.core.transforms import base
from tasks.core.transforms.cross_validation import FALSE_ALARM
from tasks.core.transforms.discriminant import COMMON, EACH, ENOUGH, RARE
from tasks.core.transforms.experts.density import LANDMARKS, PSEUDO, WIDTH, Density, compare
from tasks.core.workspace.manifests import Card

D, K = 12, 6
NAMES = tuple("abcdef")


def points(
    n: int, seed: int = 0, shares: list[float] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return n points of six classes, which overlap."""
    random = np.random.default_rng(seed)
    y = random.choice(K, n)
    return unit_rows(np.eye(K, D)[y] + 0.25 * random.normal(size=(n, D))), y


def tensors(*arrays: np.ndarray) -> list[torch.Tensor]:
    return [torch.from_numpy(array) for array in arrays]


def compared(
    x: np.ndarray, y: np.ndarray, corpus: torch.Tensor, k: int = K
) -> tuple[Density, torch.Tensor, float]:
    """Compare texts of one label each with a corpus."""
    return compare(*tensors(x, y, np.arange(len(y))), k, corpus)


def test_what_is_said_of_a_text_left_out_is_that_of_a_fit_without_it() -> None:
    x, y = points(40)
    corpus, _ = points(60, seed=1)
    z = corpus[:: 1 + (len(corpus) - 1) // LANDMARKS]
    squares = ((z[:, None] - z[None]) ** 2).sum(2)
    gamma = WIDTH / np.median(squares)

    def likeness(a: np.ndarray) -> np.ndarray:
        return np.exp(-gamma * ((a[:, None] - z[None]) ** 2).sum(2))

    root = np.linalg.cholesky(likeness(z) + 1e-4 * np.eye(len(z)))
    both, target = np.concatenate([x, corpus]), np.repeat([1.0, 0.0], [40, 60])
    phi = np.linalg.solve(root, likeness(both).T)
    found = compared(x, y, torch.from_numpy(corpus))[1]
    for out in range(0, 40, 7):
        rest = np.arange(100) != out
        own = phi[:, rest]
        beta = np.linalg.solve(own @ own.T + np.eye(len(z)), own @ target[rest])
        assert float(found[out]) == pytest.approx(float(phi[:, out] @ beta), abs=2e-3)


def test_a_class_has_its_own_level_drawn_to_that_of_all() -> None:
    x, y = points(300)
    density, own, _ = compared(x, y, torch.from_numpy(points(900, seed=1)[0]))
    for c in range(K):
        mine = own[torch.from_numpy(y == c)]
        expected = (mine.sum() + PSEUDO * own.mean()) / (len(mine) + PSEUDO)
        torch.testing.assert_close(density.level[c], expected)


@pytest.mark.parametrize("seed", range(5))
def test_where_every_class_is_labelled_no_new_ones_are_seen(seed: int) -> None:
    x, y = points(300, seed)
    assert compared(x, y, torch.from_numpy(points(2_000, seed + 9)[0]))[2] < 0.03


@pytest.mark.parametrize("hidden", [1, 3])
def test_the_share_of_new_texts_is_a_lower_bound_and_not_a_loose_one(hidden: int) -> None:
    x, y = points(900)
    corpus, truth = points(2_000, seed=1)
    known = y >= hidden
    share = compared(x[known], y[known] - hidden, torch.from_numpy(corpus), K - hidden)[2]
    assert (truth < hidden).mean() / 2 < share <= (truth < hidden).mean() + 0.02


def fitted(known: np.ndarray, n: int = 900) -> tuple[base.Transform, np.ndarray, np.ndarray]:
    x, y = points(n)
    corpus, truth = points(2_000, seed=1)
    shown = np.isin(y, known)
    made = base.fit("discriminant", x[shown], y[shown], NAMES, corpus, {}, 1)
    return made, corpus, truth


def test_new_classes_are_found_and_known_ones_raise_few_alarms() -> None:
    made, corpus, truth = fitted(np.arange(3))
    assert "density_level" in made.tensors()
    novelty = made.apply(corpus).novelty
    assert roc_auc_score(truth > 2, novelty) > 0.95
    assert novelty[truth <= 2].mean() == pytest.approx(COMMON, abs=0.05)


def test_where_all_classes_are_labelled_it_is_not_asked_and_alarms_are_rare() -> None:
    made, corpus, _ = fitted(np.arange(K))
    assert "density_level" not in made.tensors()
    assert made.apply(corpus).novelty.mean() == pytest.approx(RARE, abs=0.01)


def test_of_too_few_labels_nothing_is_concluded() -> None:
    made, corpus, _ = fitted(np.arange(K), max(ENOUGH, EACH * K) - 1)
    assert "density_level" not in made.tensors()
    assert made.apply(corpus).novelty.mean() == pytest.approx(FALSE_ALARM, abs=0.03)


def test_it_comes_back_from_disk_as_it_was(tmp_path: Path) -> None:
    made, corpus, _ = fitted(np.arange(3))
    base.save(tmp_path, made, Card())
    again, _ = base.load(tmp_path)
    np.testing.assert_array_equal(again.apply(corpus).vectors, made.apply(corpus).vectors)
    np.testing.assert_array_equal(again.apply(corpus).novelty, made.apply(corpus).novelty)


def test_a_text_with_several_labels_is_left_out_with_all_of_them() -> None:
    """Its other rows would say that it is labelled, and all of the corpus would look new."""
    x, y = points(600, seed=3)
    corpus = torch.from_numpy(points(2_000, seed=4)[0])
    both = np.repeat(x, 2, axis=0), np.stack([y, (y + 1) % K], 1).ravel()
    texts = np.repeat(np.arange(len(x)), 2)
    once = compare(*tensors(x, y, np.arange(len(x))), K, corpus)[2]
    twice = compare(*tensors(*both, texts), K, corpus)[2]
    assert max(once, twice) < 0.05
