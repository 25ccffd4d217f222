"""What names say of texts: nothing where they are alike, the same whatever their order."""

from __future__ import annotations

import numpy as np
import torch

from tasks.core.numerics.rows import unit_rows
from tasks.core.transforms import base
from tasks.core.transforms.experts.label_names import read_names
from tests.clouds import D, K, clouds

NAMES = ("a", "b", "c")


def spoken(x: np.ndarray, y: np.ndarray, ways: int = 2, noise: float = 0.1) -> np.ndarray:
    """Return names that lie where the texts of their class do, said in several ways."""
    random = np.random.default_rng(3)
    middle = np.stack([x[y == c].mean(0) for c in range(int(y.max()) + 1)])
    said = middle[:, None] + noise * random.normal(size=(len(middle), ways, x.shape[1]))
    return unit_rows(said.reshape(-1, x.shape[1])).reshape(said.shape)


def test_scores_are_standard_over_the_corpus_and_tell_the_classes() -> None:
    x, y = clouds(300)
    names = read_names(torch.from_numpy(spoken(x, y)), torch.from_numpy(x))
    assert names is not None
    scores = names.scores(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(scores.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose((scores**2).mean(), 1, atol=1e-3)
    assert (scores.argmax(1) == y).mean() > 0.8


def test_what_all_names_share_says_nothing() -> None:
    """As the words of a template do: each way is centred over the names."""
    x, y = clouds()
    said = torch.from_numpy(spoken(x, y))
    shared = torch.randn(1, said.shape[1], D, generator=torch.Generator().manual_seed(0))
    one, other = (read_names(each, torch.from_numpy(x)) for each in (said, said + 3 * shared))
    assert one is not None and other is not None
    torch.testing.assert_close(one.directions, other.directions, atol=1e-4, rtol=1e-4)


def test_names_that_do_not_differ_are_not_asked() -> None:
    x, _ = clouds()
    alike = torch.ones(K, 2, D)
    assert read_names(alike, torch.from_numpy(x)) is None
    assert read_names(alike[:1], torch.from_numpy(x)) is None


def test_names_help_where_labels_are_few_and_mean_something() -> None:
    right = np.zeros(2)
    for seed in range(4):
        x, y = clouds(600, seed, spread=1.5)
        few = np.concatenate([np.flatnonzero(y == c)[:5] for c in range(K)])
        for at, said in enumerate((None, spoken(x, y))):
            view = base.fit("auto", x[few], y[few], NAMES, x[few], {}, 1, names=said)
            right[at] += (view.apply(x).label == y).mean() / 4
    assert right[1] > right[0] + 0.02


def test_names_that_mean_nothing_are_given_no_weight() -> None:
    x, y = clouds(200)
    random = np.random.default_rng(5)
    drawn = [unit_rows(random.normal(size=(K * 2, D))).reshape(K, 2, D) for _ in range(6)]
    kept = [
        base.fit("auto", x, y, NAMES, x, {}, 1, names=said).settings().settings.weights
        for said in drawn
    ]
    assert sum("names" in weights for weights in kept) <= 2


def test_the_order_of_names_does_not_matter() -> None:
    x, y = clouds(60)
    said, turn = spoken(x, y), np.array([2, 0, 1])
    names = tuple(np.array(NAMES)[np.argsort(turn)])
    one = base.fit("auto", x, y, NAMES, x, {}, 1, names=said)
    other = base.fit("auto", x, turn[y], names, x, {}, 1, names=said[np.argsort(turn)])
    assert one.settings() == other.settings()
    np.testing.assert_array_equal(one.apply(x).vectors, other.apply(x).vectors)
