"""The closed form against definitions, brute force and awkward label files."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import eigh
from scipy.stats import multivariate_normal
from sklearn.covariance import ledoit_wolf_shrinkage

from tasks.core.numerics.rows import unit_rows
from tasks.core.numerics.temperature import fit_temperature
from tasks.core.transforms import base, cross_validation, posterior_space
from tasks.core.transforms.default_auto import Auto, AutoSettings
from tasks.core.transforms.discriminant import Discriminant, residual_basis
from tasks.core.transforms.plda import ledoit_wolf, solve, sufficient_statistics
from tasks.core.transforms.sample import Texts, make_sample
from tasks.core.workspace.manifests import Card
from tests.clouds import D, K, clouds

LABELS = ("a", "b", "c")


def fitted(x: np.ndarray, y: np.ndarray, **asked: Any) -> Discriminant:
    labels = tuple(f"{c:03d}" for c in range(int(y.max()) + 1))
    view = base.fit("discriminant", x, y, labels, x, {"residual": D} | asked, 1)
    assert isinstance(view, Discriminant)
    return view


def brute_force(x: np.ndarray, y: np.ndarray, probes: np.ndarray, view: Discriminant) -> np.ndarray:
    """The module's formulas literally, in all d coordinates, by SciPy's densities; (m, k+1)."""
    used, (n, d) = view.settings(), x.shape
    counts = np.bincount(y)
    means = np.stack([x[y == c].mean(0) for c in range(K)])
    residuals, mu = x - means[y], means.mean(0)
    S_w = residuals.T @ residuals / (n - K)
    lam = used.shrinkage
    sigma = (1 - lam) * S_w + lam * np.trace(S_w) / d * np.eye(d)
    S_b = (means - mu).T @ (means - mu) / (K - 1)
    phi, V = eigh(S_b, sigma)
    psi = np.maximum(0, phi - (1 / counts).mean())
    u, ubar = (probes - mu) @ V, (means - mu) @ V
    weights = np.empty((len(probes), K + 1))
    for c, size in enumerate(counts):
        law = multivariate_normal(
            size * psi / (size * psi + 1) * ubar[c], np.diag(1 + psi / (size * psi + 1))
        )
        weights[:, c] = law.logpdf(u) + 0.5 * np.log(size / n) + np.log(1 - used.novelty)
    new = multivariate_normal(np.zeros(d), np.diag(1 + psi))
    weights[:, K] = new.logpdf(u) + np.log(used.novelty)
    p = np.exp((weights - weights.max(1, keepdims=True)) / used.temperature)
    return p / p.sum(1, keepdims=True)


def posterior(view: Discriminant, x: np.ndarray) -> np.ndarray:
    reading = view.apply(x)
    novelty = reading.novelty[:, None]
    known = reading.vectors[:, : len(view.labels)] * np.sqrt(1 - novelty)
    return np.concatenate([known, novelty], axis=1)


@pytest.mark.parametrize("asked", [{}, {"temperature": 1.5, "novelty": 0.003}])
def test_the_posterior_is_the_one_that_scipys_densities_give(asked: dict[str, Any]) -> None:
    x, y = clouds()
    probes = unit_rows(np.random.default_rng(3).normal(size=(50, D)))
    view = fitted(x, y, **asked, residual=0)  # without one, nothing else is known of new classes
    expected = brute_force(x.astype(np.float64), y, probes.astype(np.float64), view)
    np.testing.assert_allclose(posterior(view, probes), expected, atol=2e-4)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 1000), spread=st.floats(0.05, 3), floor=st.floats(0, 1))
def test_the_posterior_sums_to_one(seed: int, spread: float, floor: float) -> None:
    x, y = clouds(40, seed, spread)
    p = posterior(fitted(x, y, floor=floor), x)
    np.testing.assert_allclose(p.sum(1), 1, atol=1e-5)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 1000), floor=st.floats(0, 1), residual=st.integers(0, D))
def test_a_product_of_views_is_the_chance_of_agreement_plus_the_gated_residual(
    seed: int, floor: float, residual: int
) -> None:
    x, y = clouds(40, seed)
    view = fitted(x, y, floor=floor, residual=residual)
    z, novelty = view.apply(x).vectors.astype(np.float64), view.apply(x).novelty.astype(np.float64)
    p = z[:, :K] / z[:, :K].sum(1, keepdims=True)
    g = np.sqrt(novelty + posterior_space.DOUBT**2 * (1 - novelty) * (1 - (p**2).sum(1)))
    g = np.maximum(g, floor)
    r = x - x.mean(0)
    r = r / np.linalg.norm(r, axis=1, keepdims=True)
    basis = residual_basis(torch.from_numpy(x).double(), residual)[0].numpy()
    agree = np.sqrt(np.outer(1 - novelty, 1 - novelty)) * (p @ p.T)
    expected = agree + np.outer(g, g) * ((r @ basis) @ (r @ basis).T)
    np.testing.assert_allclose(z @ z.T, expected, atol=2e-4)


def test_the_whole_residual_keeps_the_generic_cosine() -> None:
    x, y = clouds()
    view = fitted(x, y, floor=1.0, residual=D)
    r = x - x.mean(0)
    r = r / np.linalg.norm(r, axis=1, keepdims=True)
    tail = view.apply(x).vectors[:, K:]
    np.testing.assert_allclose(tail @ tail.T, r @ r.T, atol=1e-4)


def test_texts_of_a_class_without_labels_fall_back_to_the_generic_space() -> None:
    random = np.random.default_rng(2)
    wide = 3 * D
    places = np.eye(wide)[:K]
    y = np.arange(300) % K
    x = unit_rows(places[y] + 0.05 * random.normal(size=(300, wide)))
    new = unit_rows(np.eye(wide)[-1] + 0.05 * random.normal(size=(40, wide)))
    corpus = np.concatenate([x, new])
    view = base.fit("discriminant", x, y, tuple("abcdef"[:K]), corpus, {"residual": wide}, 1)
    reading = view.apply(new)
    nu = float(reading.novelty.min())
    assert nu > 0.99
    r = new - unit_rows(corpus).mean(0)
    r = r / np.linalg.norm(r, axis=1, keepdims=True)
    np.testing.assert_allclose(
        reading.vectors @ reading.vectors.T, r @ r.T, atol=2 * (1 - nu) + 1e-5
    )


def test_label_and_confidence_are_the_largest_known_probability() -> None:
    x, y = clouds()
    view = fitted(x, y)
    reading, p = view.apply(x), posterior(view, x)[:, :K]
    np.testing.assert_array_equal(reading.label, p.argmax(1))
    np.testing.assert_allclose(reading.confidence, p.max(1), atol=1e-6)


def test_shrinkage_is_scikit_learns_ledoit_wolf() -> None:
    x, y = clouds()
    X, Y = torch.from_numpy(x).double(), torch.from_numpy(y)
    means = np.stack([x[y == c].mean(0) for c in range(K)])
    expected = ledoit_wolf_shrinkage(x - means[y], assume_centered=True)
    assert ledoit_wolf(X, Y, sufficient_statistics(X, Y, K)) == pytest.approx(expected, abs=1e-6)


def test_both_covariances_are_diagonal_at_once() -> None:
    x, y = clouds()
    X, Y = torch.from_numpy(x).double(), torch.from_numpy(y)
    moments = sufficient_statistics(X, Y, K)
    model = solve(moments, 0.2)
    S = moments.scatter / (len(x) - K)
    sigma = 0.8 * S + 0.2 * S.trace() / D * torch.eye(D, dtype=S.dtype)
    torch.testing.assert_close(
        model.W.T @ sigma @ model.W, torch.eye(len(model.psi), dtype=S.dtype)
    )
    offset = (moments.means - model.mu) @ model.W
    between = offset.T @ offset / (K - 1)
    torch.testing.assert_close(
        between, torch.diag(model.psi + (1 / moments.n).mean()), atol=1e-9, rtol=1e-9
    )


def test_moments_without_some_texts_are_the_moments_of_the_others() -> None:
    x, y = clouds()
    X, Y = torch.from_numpy(x).double(), torch.from_numpy(y)
    rest = sufficient_statistics(X, Y, K).less(sufficient_statistics(X[:20], Y[:20], K))
    again = sufficient_statistics(X[20:], Y[20:], K)
    torch.testing.assert_close(rest.scatter, again.scatter)
    torch.testing.assert_close(rest.means, again.means)


@pytest.mark.parametrize("temperature", [None, 1.0, 4.0])
def test_a_known_text_is_taken_for_new_as_often_as_asked(temperature: float | None) -> None:
    x, y = clouds(1500, spread=0.8)
    view = fitted(x[:600], y[:600], temperature=temperature)
    assert view.apply(x[600:]).novelty.mean() == pytest.approx(
        cross_validation.FALSE_ALARM, abs=0.03
    )


def test_texts_of_a_class_nobody_labelled_are_more_novel() -> None:
    x, y = clouds(300, spread=0.3)
    view = fitted(x[y < 2], y[y < 2])
    novelty = view.apply(x).novelty
    assert novelty[y == 2].mean() > novelty[y < 2].mean()


def test_classes_that_overlap_are_read_with_less_confidence() -> None:
    sure, unsure = (
        fitted(x, y).apply(x).confidence.mean()
        for x, y in (clouds(400, spread=0.2), clouds(400, spread=2.0))
    )
    assert unsure < sure


def finite(view: Discriminant, x: np.ndarray) -> bool:
    return all(bool(np.isfinite(part).all()) for part in vars(view.apply(x)).values())


def test_one_text_a_class_is_enough_for_its_own_label() -> None:
    x = unit_rows(np.random.default_rng(0).normal(size=(5, D)))
    view = fitted(x, np.arange(5))
    assert finite(view, x)
    np.testing.assert_array_equal(view.apply(x).label, np.arange(5))


def test_one_class_alone_is_read_as_that_class() -> None:
    x, _ = clouds(20)
    view = fitted(x, np.zeros(20, int))
    assert finite(view, x) and set(view.apply(x).label) == {0}


def test_a_class_a_thousand_times_larger_does_not_swallow_a_small_one() -> None:
    random = np.random.default_rng(0)
    centres = np.eye(D)[:2]
    y = np.array([0] * 3000 + [1] * 3)
    x = unit_rows(centres[y] + 0.15 * random.normal(size=(3003, D)))
    view = fitted(x, y)
    probes = unit_rows(centres[1] + 0.15 * random.normal(size=(50, D)))
    assert finite(view, x) and (view.apply(probes).label == 1).mean() > 0.9


def test_equal_vectors_and_constant_dimensions_are_read_without_a_nan() -> None:
    x, y = clouds(30)
    x[:, 3] = 0.25
    copies = np.repeat(x[:3], 10, axis=0)
    for rows, classes in ((x, y), (copies, np.repeat([0, 1, 2], 10)), (x[:1].repeat(30, 0), y)):
        assert finite(fitted(rows, classes), rows)


def test_more_classes_than_dimensions_are_told_apart() -> None:
    random = np.random.default_rng(0)
    centres = unit_rows(random.normal(size=(20, 3)))
    y = np.arange(400) % 20
    x = centres[y] + 0.01 * random.normal(size=(400, 3))
    view = fitted(x, y, residual=64)
    assert view.size == 20 + 3 and (view.apply(x).label == y).mean() > 0.9


def test_fewer_texts_than_dimensions_are_told_apart() -> None:
    random = np.random.default_rng(0)
    y = np.arange(8) % 2
    x = random.normal(size=(2, 100))[y] + 0.3 * random.normal(size=(8, 100))
    view = fitted(x, y)
    assert finite(view, x) and (view.apply(x).label == y).all()


def test_a_class_of_one_text_is_never_put_away() -> None:
    y = torch.tensor([0, 1, 1, 2, 2, 2, 2, 2, 2, 2])
    _, folds = cross_validation.fold(torch.randn(len(y), 3).double(), y, torch.arange(len(y)), 3)
    assert sorted(torch.cat([fold.rows for fold in folds]).tolist()) == list(range(1, len(y)))
    assert all((fold.kept.n > 0).all() for fold in folds)


def test_copies_of_a_text_share_a_fold_and_no_class_is_put_away_whole() -> None:
    y = torch.tensor([0] * 5 + [1] * 9 + [2] * 12)
    texts = torch.tensor([7] * 5 + [1, 1, 1, 1, 1, 2, 2, 3, 3] + [9, 8, 6] * 4)
    texts[14:] = texts[14:].sort().values
    _, folds = cross_validation.fold(torch.randn(len(y), 3).double(), y, texts, 3)
    assert folds and all((fold.kept.n > 0).all() for fold in folds)
    away = [set(zip(y[f.rows].tolist(), texts[f.rows].tolist(), strict=True)) for f in folds]
    assert sum(len(each) for each in away) == len(set().union(*away)) == 6


def test_labels_of_noise_are_not_learnt_from_copies() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(300, 64)), random.integers(0, 30, 300)
    copies = np.tile(np.arange(300), 4)
    view = Auto.fit(sample_of(x[copies], y[copies], 30), AutoSettings(), 0)
    losses = [each.log_loss for each in view._tried]
    assert all(loss is not None and loss > 0.95 * np.log(30) for loss in losses)


def sample_of(x: np.ndarray, y: np.ndarray, k: int) -> base.Sample:
    """Return a sample as a fit sees it, with classes named by their numbers."""
    return make_sample(Texts(x, None), y, tuple(f"{c:02d}" for c in range(k)), Texts(x, None))


def test_folds_keep_all_that_they_do_not_put_away() -> None:
    x, y = clouds()
    order = np.argsort(y, kind="stable")
    X, Y = torch.from_numpy(x[order]).double(), torch.from_numpy(y[order])
    whole, folds = cross_validation.fold(X, Y, torch.arange(len(Y)), K)
    torch.testing.assert_close(whole.scatter, sufficient_statistics(X, Y, K).scatter)
    for fold in folds:
        rest = np.setdiff1d(np.arange(len(Y)), fold.rows.numpy())
        torch.testing.assert_close(
            fold.kept.scatter, sufficient_statistics(X[rest], Y[rest], K).scatter
        )


def test_calibration_finds_the_temperature_that_made_the_labels() -> None:
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(20_000, 4, generator=generator) * 3
    p = torch.softmax(scores / 2.5, dim=1)
    truth = torch.multinomial(p, 1, generator=generator)[:, 0]
    for start in (0.05, 1.0, 20.0):
        assert 1 / fit_temperature(scores, truth, start).beta == pytest.approx(2.5, rel=0.03)


def rich_world(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Base vectors that say nothing of the labels, and features that do."""
    features, y = clouds(seed=seed)
    x = np.random.default_rng(seed + 1).normal(size=(len(y), 9))
    return unit_rows(x), features, y


def test_features_decide_the_labels_and_base_vectors_the_residual() -> None:
    x, features, y = rich_world()
    asked = {"residual": 9, "temperature": 1.5, "novelty": 0.01}
    names = ("a", "b", "c")
    rich = base.fit("discriminant", x, y, names, x, asked, 1, features)
    plain = base.fit("discriminant", features, y, names, features, asked | {"residual": 0}, 1)
    one, other = rich.apply(x, features), plain.apply(features)
    read = one.vectors[:, :K] / one.vectors[:, :K].sum(1, keepdims=True)
    expected = other.vectors / other.vectors.sum(1, keepdims=True)
    np.testing.assert_allclose(read, expected, atol=1e-5)
    centred = x - x.mean(0)
    expected = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    found = unit_rows(one.vectors[:, K:])
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-4)


def test_the_base_vectors_as_features_change_nothing() -> None:
    x, y = clouds()
    one = fitted(x, y)
    other = base.fit("discriminant", x, y, ("000", "001", "002"), x, {"residual": D}, 1, x)
    np.testing.assert_allclose(one.apply(x).vectors, other.apply(x, x).vectors, atol=1e-5)


def test_missing_features_are_refused_and_written_ones_come_back(tmp_path: Any) -> None:
    x, features, y = rich_world()
    made = base.fit("discriminant", x, y, ("a", "b", "c"), x, {}, 1, features)
    with pytest.raises(ValueError, match="features: found none, expected 6 a text"):
        made.apply(x)
    with pytest.raises(ValueError, match="features: found 9 of them, expected 6 a text"):
        made.apply(x, x)
    base.save(tmp_path, made, Card())
    again, card = base.load(tmp_path)
    assert (again.features, card.features) == (D, D)
    np.testing.assert_array_equal(again.apply(x, features).vectors, made.apply(x, features).vectors)


def test_features_of_other_texts_are_refused() -> None:
    x, features, y = rich_world()
    with pytest.raises(ValueError, match=r"features \(8, 6\): expected \(90, f\)"):
        base.fit("discriminant", x, y, ("a", "b", "c"), x, {}, 1, features[:8])
