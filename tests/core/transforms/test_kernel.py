"""The kernel posterior against exact kernel ridge regression and refits without a text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.core.numerics.rows import unit_rows
from tasks.core.numerics.temperature import OutOfFold
from tasks.core.settings.fit_section import DiscriminantSettings, KernelSettings
from tasks.core.settings.params import Params
from tasks.core.transforms import base, discriminant, kernel
from tasks.core.transforms.base import Sample
from tasks.core.transforms.experts import kernel_ridge
from tasks.core.transforms.kernel import Kernel
from tasks.core.workspace.manifests import Card
from tests.clouds import D, K, clouds

NAMES = ("a", "b", "c")


def fitted(x: np.ndarray, y: np.ndarray, **asked: Any) -> Kernel:
    names = tuple(f"{c:03d}" for c in range(int(y.max()) + 1))
    view = base.fit("kernel", x, y, names, x, asked, 1)
    assert isinstance(view, Kernel)
    return view


def sample(x: np.ndarray, y: np.ndarray) -> Sample:
    order = np.argsort(y, kind="stable")
    return Sample(x[order], y[order], NAMES, x, np.arange(len(x)))


def put_away(x: np.ndarray, y: np.ndarray) -> OutOfFold:
    """Return what the discriminant says of texts that it has not seen."""
    return discriminant.fit_cross_validated(sample(x, y), DiscriminantSettings())[1].left


def kernel_matrix(x: np.ndarray, z: np.ndarray, gamma: float) -> np.ndarray:
    return np.exp(-gamma * ((x[:, None] - z[None]) ** 2).sum(2))


def test_with_every_text_a_landmark_it_is_exact_kernel_ridge_regression() -> None:
    x, y = clouds()
    found = kernel.solve(
        sample(x, y), KernelSettings(landmarks=999, width=1.0, ridge=0.3), put_away(x, y)
    )
    order = np.argsort(y, kind="stable")
    wide, targets = x[order].astype(np.float64), np.eye(K)[y[order]]
    own = kernel_matrix(wide, wide, found.used.width)
    exact = np.linalg.solve(own + 0.3 * np.eye(len(y)), targets)
    probes = unit_rows(np.random.default_rng(5).normal(size=(20, D)))
    mine = (
        torch.exp(-found.used.width * (2 - 2 * torch.from_numpy(probes) @ found.landmarks.T))
        @ found.weights
    )
    np.testing.assert_allclose(
        mine.numpy(), kernel_matrix(probes, wide, found.used.width) @ exact, atol=2e-3
    )


def test_the_left_out_prediction_is_that_of_a_fit_without_the_text() -> None:
    """Without all its rows: here six texts have two labels each."""
    x, y = clouds(30)
    x, y = np.concatenate([x, x[:6]]), np.concatenate([y, (y[:6] + 1) % K])
    texts, targets = np.arange(36) % 30, np.eye(K, dtype=np.float32)[y]
    arrays = (torch.from_numpy(each) for each in (x, targets, texts, x[:30]))
    [found] = kernel_ridge.regressions(*arrays, [0.8], [0.3])
    own = kernel_matrix(x, x, found.span.width)
    for out in range(0, 30, 5):
        rest = texts != out
        refit = np.linalg.solve(own[np.ix_(rest, rest)] + 0.3 * np.eye(rest.sum()), targets[rest])
        expected = own[np.ix_(~rest, rest)] @ refit
        np.testing.assert_allclose(found.left[~rest].numpy(), expected, atol=5e-3)


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 1000), spread=st.floats(0.05, 3))
def test_the_posterior_sums_to_one(seed: int, spread: float) -> None:
    x, y = clouds(seed=seed, spread=spread)
    reading = fitted(x, y).apply(x)
    known = reading.vectors[:, :K] * np.sqrt(1 - reading.novelty)[:, None]
    np.testing.assert_allclose(known.sum(1) + reading.novelty, 1, atol=1e-4)
    np.testing.assert_allclose(known.max(1), reading.confidence, atol=1e-5)
    np.testing.assert_array_equal(known.argmax(1), reading.label)


def test_a_pool_is_the_normalised_product_of_powers() -> None:
    random = np.random.default_rng(0)
    one, other = random.dirichlet(np.ones(4), 20), random.dirichlet(np.ones(4), 20)
    product = one**0.75 * other**0.25
    logs = torch.from_numpy(one).log(), torch.from_numpy(other).log()
    found = kernel.pooled(*logs, 0.25).exp().numpy()
    np.testing.assert_allclose(found, product / product.sum(1, keepdims=True))
    np.testing.assert_allclose(kernel.pooled(*logs, 0.0).exp().numpy(), one)


def test_the_share_of_the_discriminant_is_the_best_of_those_tried() -> None:
    x, y = clouds(120)
    own = KernelSettings(width=1.0, ridge=0.3)
    each = [own.model_copy(update={"pool": share}) for share in kernel.POOLS]
    tried = [kernel.solve(sample(x, y), asked, put_away(x, y)).left.loss for asked in each]
    chosen = kernel.solve(sample(x, y), own, put_away(x, y))
    assert chosen.left.loss == min(loss for loss in tried if loss is not None)
    assert chosen.used.pool == kernel.POOLS[int(np.argmin(np.array(tried, float)))]


def test_the_order_of_rows_and_of_classes_does_not_matter() -> None:
    x, y = clouds()
    order = np.random.default_rng(2).permutation(len(y))
    one = base.fit("kernel", x, y, NAMES, x, {}, 1).apply(x).vectors
    other = base.fit("kernel", x[order], 2 - y[order], NAMES[::-1], x, {}, 1).apply(x).vectors
    np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (np.ones((6, D)), np.arange(6) % 2),
        (np.eye(D), np.arange(D)),
        (np.zeros((4, D)), np.arange(4) % 2),
        (np.eye(D)[[0, 0, 0, 0, 1]], np.array([0, 0, 0, 0, 1])),
        (np.eye(D)[:3], np.zeros(3, int)),
    ],
    ids=["equal", "one a class", "zero", "unbalanced", "one class"],
)
def test_awkward_labels_give_numbers(x: np.ndarray, y: np.ndarray) -> None:
    reading = fitted(x, y).apply(np.concatenate([x, np.random.default_rng(0).normal(size=(5, D))]))
    assert np.isfinite(reading.vectors).all()
    assert reading.vectors.dtype == np.float32
    assert ((reading.confidence >= 0) & (reading.confidence <= 1 + 1e-6)).all()


@pytest.mark.parametrize("spread", [1e-6, 1e-4, 1e-2])
@pytest.mark.parametrize("ridge", [1e-9, 0.03, None])
def test_texts_that_hardly_differ_give_numbers(spread: float, ridge: float | None) -> None:
    """Their distances are below what float32 tells apart, and so is a tiny ridge."""
    random = np.random.default_rng(0)
    x = random.normal(size=D) + spread * random.normal(size=(300, D))
    reading = fitted(x, random.integers(0, 2, 300), ridge=ridge).apply(x)
    assert np.isfinite(reading.vectors).all()


def test_the_discriminant_behind_it_is_made_as_asked() -> None:
    x, y = clouds()
    section = Params.model_validate(
        {"fit": {"method": "kernel", "discriminant": {"residual": 2, "floor": 0.5}}}
    ).fit
    view = fitted(x, y, **section.method_settings())
    assert view.size == K + 2 and view.settings().discriminant.floor == 0.5


def test_of_more_texts_than_a_fit_looks_at_no_class_is_lost(monkeypatch: Any) -> None:
    monkeypatch.setattr(kernel_ridge, "LIMIT", 100)
    x, _ = clouds(301)
    y = np.array([0] * 298 + [1] * 2 + [2])
    x[-3:] = -x[-3:]
    view = fitted(x, y, pool=0.0)
    assert (view._weights.abs().sum(0) > 0.01).all()


def test_it_comes_back_from_disk_as_it_was(tmp_path: Any) -> None:
    x, y = clouds()
    made = base.fit("kernel", x, y, NAMES, x, {"landmarks": 20}, 1, x)
    base.save(tmp_path, made, Card())
    again, card = base.load(tmp_path)
    assert (card.method, again.features) == ("kernel", D)
    np.testing.assert_array_equal(again.apply(x, x).vectors, made.apply(x, x).vectors)


def test_it_sees_what_no_line_can_part() -> None:
    random = np.random.default_rng(0)
    angle = random.uniform(0, 2 * np.pi, 300)
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    y = (np.floor(angle / (np.pi / 2)) % 2).astype(int)  # opposite quarters share a label
    reading = fitted(x, y).apply(x)
    assert (reading.label == y).mean() > 0.95
