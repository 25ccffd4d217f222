"""How much the generic space counts in doubt: more where posteriors mislead and it does not."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tasks.core.numerics.rows import unit_rows
from tasks.core.transforms.experts.doubt import (
    DOUBTS,
    LEAN,
    NEW,
    SEEN,
    SHOWN,
    _lean,
    _placed,
    alone,
    choose_doubt,
)
from tasks.core.transforms.posterior_space import DOUBT, PosteriorParts, laid_out

N, K, M = 240, 6, 12


def said(right: float, apart: float) -> tuple[PosteriorParts, torch.Tensor]:
    """Return unsure posteriors that name the class of a share `right` of the texts, and residuals
    that lie `apart` by class."""
    random = np.random.default_rng(0)
    y = np.arange(N) % K
    named = np.where(random.random(N) < right, y, random.integers(K, size=N))
    p = 0.5 / (K - 1) + (0.5 - 0.5 / (K - 1)) * np.eye(K)[named]
    r = unit_rows(apart * np.eye(K, M)[y] + random.normal(size=(N, M)))
    parts = (p.astype(np.float32), np.full((N, 1), 0.1, np.float32), r)
    return PosteriorParts(*map(torch.from_numpy, parts)), torch.from_numpy(y)


def test_where_the_labels_are_right_the_usual_doubt_stays() -> None:
    assert choose_doubt(*said(right=0.95, apart=0.0), floor=0.05) == DOUBT


def test_where_the_labels_mislead_and_the_generic_space_does_not_it_counts_more() -> None:
    misled = said(right=0.1, apart=6.0)
    assert choose_doubt(*misled, floor=0.05) >= SHOWN
    assert choose_doubt(*misled, floor=0.05, unseen=NEW) == max(DOUBTS)


@pytest.mark.parametrize("n", [0, 1, 5])
def test_of_too_few_texts_nothing_is_concluded(n: int) -> None:
    parts, y = said(right=0.1, apart=6.0)
    few = PosteriorParts(*(each[:n] for each in parts))
    assert choose_doubt(few, y[:n], floor=0.05) == DOUBT


def test_a_text_is_placed_as_well_as_its_neighbours_and_its_triplets_say() -> None:
    parts, y = said(right=0.6, apart=1.0)
    z = laid_out(parts, 0.05)
    found = _placed(z, y, near=10).numpy()
    u = torch.nn.functional.normalize(z, dim=1).numpy()
    close, truth = u @ u.T, y.numpy()
    for at in range(0, N, 40):
        others = np.delete(np.arange(N), at)
        near = others[np.argsort(-close[at, others], kind="stable")[:10]]
        own, rest = (others[(truth[others] == truth[at]) == which] for which in (True, False))
        right = (close[at, own][:, None] > close[at, rest][None]).mean()
        assert found[at] == pytest.approx((truth[near] == truth[at]).mean() + right, abs=0.12)


def test_the_order_of_texts_and_classes_does_not_matter() -> None:
    parts, y = said(right=0.3, apart=2.0)
    order = torch.randperm(N, generator=torch.Generator().manual_seed(0))
    turned = PosteriorParts(*(each[order] for each in parts))
    one, other = choose_doubt(parts, y, 0.05), choose_doubt(turned, (K - 1 - y)[order], 0.05)
    assert one == other


def test_where_the_corpus_is_of_classes_without_a_label_the_generic_space_counts_more() -> None:
    parts, y = said(right=0.55, apart=2.0)
    found = [choose_doubt(parts, y, 0.05, unseen) for unseen in (0.0, 0.5, 0.8, 1.0)]
    assert found == sorted(found)
    assert found[0] < found[-1] == max(DOUBTS)


def test_the_fewer_labels_a_class_has_the_worse_may_a_greater_doubt_seem() -> None:
    found = [_lean(torch.full((8,), m), unseen=0.0) for m in (2, 3, 10, 1_000)]
    assert found == sorted(found, reverse=True)
    assert found[0] == 4 * LEAN
    assert found[-1] == pytest.approx(LEAN, rel=0.01)


def test_labels_that_tell_of_half_the_corpus_lean_as_two_a_class_do() -> None:
    two, many = torch.tensor([2, 2, 0, 1, 2]), torch.full((5,), 1_000_000)
    assert _lean(two, unseen=0.0) == pytest.approx(_lean(many, unseen=0.5), rel=1e-5)
    assert _lean(two, unseen=1.0) == LEAN / SEEN**2


def test_of_labels_that_show_all_classes_few_do_not_make_the_generic_space_count_most() -> None:
    for seed in range(20):
        random = np.random.default_rng(seed)
        y = torch.from_numpy(np.arange(30) % K)
        r = torch.from_numpy(unit_rows(random.normal(size=(30, M))))
        p = torch.from_numpy(random.dirichlet(np.full(K, 0.5), 30).astype(np.float32))
        parts = PosteriorParts(p, torch.full((30, 1), 0.1), r)
        mean = {c: float(_placed(laid_out(parts, 0.05, c), y, near=1).mean()) for c in DOUBTS}
        found = choose_doubt(parts, y, 0.05, NEW / 2)
        assert found <= SHOWN or mean[found] > max(mean[c] for c in DOUBTS if c <= SHOWN)


def test_labels_that_stand_alone_tell_of_classes_never_drawn() -> None:
    assert alone(np.array([0, 0, 1, 2, 2, 3, 5, 5])) == 2 / 8
    assert alone(np.arange(4)) == 1
    assert alone(np.array([], np.int64)) == 0
