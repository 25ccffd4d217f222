import numpy as np

from tasks.core.report.coordinates import coordinates
from tasks.core.report.maps import project


def clouds(n=60):
    """Return n vectors around each of two directions, and which they are around."""
    random = np.random.default_rng(3)
    which = np.repeat([0, 1], n)
    return np.eye(2, 8)[which] + 0.05 * random.standard_normal((2 * n, 8)), which


def test_few_texts_lie_where_the_report_has_them():
    vectors, _ = clouds(20)
    np.testing.assert_array_equal(coordinates(vectors, 1), project(vectors, 1))


def test_of_many_texts_a_sample_is_laid_out_and_the_others_lie_among_their_nearest():
    vectors, which = clouds()
    vectors[1::2] = vectors[::2]  # each twice: a copy lies where the first does
    plane = coordinates(vectors, 1, points=80)
    assert np.isfinite(plane).all()
    assert np.abs(plane).max() <= 1 + 1e-9
    middles = np.stack([plane[which == side].mean(0) for side in (0, 1)])
    nearer = np.linalg.norm(plane[:, None] - middles, axis=2).argmin(1)
    np.testing.assert_array_equal(nearer, which)
    np.testing.assert_array_equal(plane, coordinates(vectors, 1, points=80))
