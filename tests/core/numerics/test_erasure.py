"""Least-squares concept erasure against its definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.core.numerics.erasure import Erasure, fit_erasure

K, KNOWN, M = 3, 2, 9  # labels of the aspect, numbers that stay, numbers it is erased from


def sample(seed, n=200):
    """Return vectors (n, KNOWN + M) whose numbers all go with an aspect, and its labels' shares."""
    random = np.random.default_rng(seed)
    shares = np.eye(K)[random.integers(0, K, n)]
    shares[: n // 4] = random.dirichlet(np.ones(K), n // 4)  # of some texts it is a posterior
    known = shares @ random.normal(size=(K, KNOWN)) + random.normal(size=(n, KNOWN))
    rest = shares @ random.normal(size=(K, M)) + known @ random.normal(size=(KNOWN, M))
    return np.concatenate([known, rest + random.normal(size=(n, M))], axis=1), shares


def squared_error(x, shares):
    """Return what the best linear predictor of the shares leaves of them; rounding is no number."""
    by = np.concatenate([np.ones((len(x), 1)), x], axis=1)
    return ((shares - by @ np.linalg.lstsq(by, shares, rcond=1e-5)[0]) ** 2).sum()


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_no_linear_predictor_beats_a_constant_nor_adds_to_the_numbers_that_stay(seed):
    x, shares = sample(seed)
    found = fit_erasure(("source",), x, KNOWN, shares).apply(x).astype(np.float64)
    np.testing.assert_array_equal(found[:, :KNOWN], x[:, :KNOWN].astype(np.float32))
    rest = found[:, KNOWN:]
    covariance = (rest - rest.mean(0)).T @ (shares - shares.mean(0)) / len(x)
    np.testing.assert_allclose(covariance, 0, atol=1e-6)
    constant = squared_error(np.empty((len(x), 0)), shares)
    assert squared_error(x[:, KNOWN:], shares) < 0.9 * constant
    assert squared_error(rest, shares) == pytest.approx(constant)
    assert squared_error(found, shares) == pytest.approx(squared_error(x[:, :KNOWN], shares))


def test_it_is_a_projection_that_keeps_the_mean_and_moves_no_more_than_it_must():
    x, shares = sample(1)
    made = fit_erasure(("source",), x, 0, shares)
    found = made.apply(x)
    assert (made.dimensions, made.of) == (K - 1, KNOWN + M)
    np.testing.assert_allclose(found.mean(0), x.mean(0), atol=1e-5)
    np.testing.assert_allclose(made.apply(found), found, atol=1e-5)
    by = shares - shares.mean(0)
    cross = (x - x.mean(0)).T @ by / len(x)  # another map after which nothing is left: x - x̂
    other = x - by @ np.linalg.pinv(by.T @ by / len(x)) @ cross.T
    directions = np.linalg.svd(cross, full_matrices=False)[0][:, : K - 1]
    across = x - (x - x.mean(0)) @ directions @ directions.T
    moved, more = ((found - x) ** 2).sum(), ((across - x) ** 2).sum()
    assert ((other - x) ** 2).sum() < moved < more  # x̂ takes the labels of each text to be known


def test_an_aspect_that_nothing_tells_erases_nothing():
    x, _ = sample(2)
    made = fit_erasure(("source",), x, KNOWN, np.ones((len(x), 1)))
    assert made.dimensions == 0
    np.testing.assert_array_equal(made.apply(x), x.astype(np.float32))


@pytest.mark.parametrize("columns", [KNOWN, KNOWN + 1])
def test_all_of_so_few_numbers_may_go(columns):
    x, shares = sample(3)
    made = fit_erasure(("source",), x[:, :columns], KNOWN, shares)
    assert made.dimensions == made.of == columns - KNOWN
    np.testing.assert_allclose(made.apply(x[:, :columns])[:, KNOWN:].std(0), 0, atol=1e-6)


def test_numbers_that_never_move_are_left_as_they_are():
    x, shares = sample(4)
    x[:, -1] = 5.0
    found = fit_erasure(("source",), x, KNOWN, shares).apply(x)
    np.testing.assert_allclose(found[:, -1], 5.0, atol=1e-5)


def test_what_is_kept_of_it_is_restored_and_what_does_not_fit_is_refused():
    x, shares = sample(5)
    made = fit_erasure(("source",), x, KNOWN, shares)
    tensors = made.tensors()
    found = Erasure.restore(made.aspects, made.start, tensors)
    np.testing.assert_allclose(found.apply(x), made.apply(x), atol=1e-5)
    with pytest.raises(ValueError, match=r"erasure: found \(9,\), \(8, 4\) and \(4, 9\)"):
        Erasure.restore((), 0, tensors | {"write": tensors["write"][:-1]})
    with pytest.raises(ValueError, match="expected 11 numbers each"):
        made.apply(x[:, :-1])
