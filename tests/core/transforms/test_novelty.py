"""How strange a text is, against the definition and awkward label files."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from tasks.core.numerics.rows import unit_rows
from tasks.core.transforms import base
from tasks.core.transforms import novelty as strangeness
from tasks.core.transforms.novelty import WEIGHT, learn
from tests.clouds import D, K, clouds


def sorted_clouds(n: int = 90, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    x, y = clouds(n, seed)
    order = np.argsort(y, kind="stable")
    n_c = torch.bincount(torch.from_numpy(y)).double()
    return torch.from_numpy(x[order]), torch.from_numpy(y[order]), n_c


def test_a_text_is_held_against_all_others_and_the_means_of_the_others() -> None:
    r, y, n = sorted_clouds()
    learnt, found = learn(r, y, n)
    near = np.empty((len(r), 2))
    for i in range(len(r)):
        others = np.arange(len(r)) != i
        means = [(r[others & (y == c).numpy()]).mean(0) for c in range(K)]
        near[i] = [
            max(float(r[i] @ r[j]) for j in np.flatnonzero(others)),
            max(float(r[i] @ m / m.norm()) for m in means),
        ]
    expected = WEIGHT * ((near.mean(0) - near) / near.std(0)).sum(1)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    np.testing.assert_allclose(learnt.level, near.mean(0), atol=1e-5)


@given(seed=st.integers(0, 1000), length=st.floats(1e-3, 1))
def test_the_length_of_a_residual_says_nothing(seed: int, length: float) -> None:
    learnt, _ = learn(*sorted_clouds(40, seed))
    r = torch.from_numpy(clouds(5, seed + 1)[0])
    torch.testing.assert_close(learnt.of(length * r), learnt.of(r), atol=1e-2, rtol=1e-3)


def test_a_text_is_not_held_against_its_own_copies() -> None:
    r, y, n = sorted_clouds()
    once = learn(r, y, n)[0]
    twice = learn(r.repeat_interleave(2, 0), y.repeat_interleave(2), 2 * n)[0]
    torch.testing.assert_close(twice.level[0], once.level[0])


def test_every_class_has_its_share_of_the_texts_compared_with(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(strangeness, "TEXTS", 10)
    for sizes in ([1, 1, 98], [40, 40, 20], [3, 3, 3], [1, 1, 1]):
        n = torch.tensor(sizes).double()
        chosen = strangeness._spread_out(n).numpy()
        held = np.bincount(np.repeat(np.arange(3), sizes)[chosen], minlength=3)
        assert (held >= 1).all() and held.sum() <= 10 + 3
        assert (np.abs(held - 10 * np.array(sizes) / sum(sizes)) <= 1).all() or sum(sizes) < 10


def test_what_the_labels_read_cannot_hide_a_class_that_lies_elsewhere() -> None:
    """The features of the new class are those of a known one; the base vectors are not."""
    random = np.random.default_rng(0)
    y = np.arange(400) % 4
    centres = np.eye(D)[:4]
    x = unit_rows(centres[y] + 0.15 * random.normal(size=(400, D)))
    rich = unit_rows(centres[y % 3] + 0.15 * random.normal(size=(400, D)))
    known = y < 3
    view = base.fit(
        "discriminant", x[known][:200], y[known][:200], tuple("abc"), x, {}, 1, rich[known][:200]
    )
    novelty = view.apply(x, rich).novelty
    assert roc_auc_score(~known, novelty) > 0.95
