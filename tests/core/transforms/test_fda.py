"""Fisher's discriminant against its definition and scikit-learn's."""

from __future__ import annotations

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from tasks.core.transforms import base
from tests.clouds import K, clouds


def fitted(x: np.ndarray, y: np.ndarray) -> base.Transform:
    names = tuple(f"{c:03d}" for c in range(int(y.max()) + 1))
    return base.fit("fda", x, y, names, x, {}, 1)


def test_the_view_has_a_dimension_less_than_classes_and_about_unit_covariance_within() -> None:
    x, y = clouds(600)
    z = fitted(x, y).apply(x).vectors.astype(np.float64)
    means = np.stack([z[y == c].mean(0) for c in range(K)])
    within = (z - means[y]).T @ (z - means[y]) / (len(z) - K)
    assert z.shape == (600, K - 1)
    np.testing.assert_allclose(within, np.eye(K - 1), atol=0.2)  # shrinkage adds a little


def test_labels_are_about_those_of_scikit_learns_linear_discriminant_analysis() -> None:
    x, y = clouds(400, spread=0.8)
    other = LinearDiscriminantAnalysis().fit(x[:200], y[:200])
    found = fitted(x[:200], y[:200]).apply(x[200:]).label
    assert (found == other.predict(x[200:])).mean() > 0.9


def test_vectors_that_tell_no_classes_apart_give_a_view_of_one_empty_dimension() -> None:
    reading = fitted(np.ones((6, 4)), np.arange(6) % 2).apply(np.eye(4))
    np.testing.assert_array_equal(reading.vectors, np.zeros((4, 1)))
