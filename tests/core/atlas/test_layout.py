"""Maps from vectors: forces, steps, turns, neighbours."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.core.atlas.drawing import drawn
from tasks.core.atlas.laying_out import Guide, laid_out
from tasks.core.atlas.neighbours import Sample
from tasks.core.atlas.placing import Among, within_circle
from tasks.core.atlas.plane import laid_upon, shrunk, turn
from tasks.core.atlas.repulsion import Repulsion
from tasks.core.atlas.tsne import affinities, descend
from tasks.core.store import arrow
from tests.clouds import clouds


def nothing():
    pass


def keys_of(n):
    return np.random.default_rng(1).integers(2**64, size=n, dtype=np.uint64)


@pytest.mark.parametrize("spread", [0.01, 1, 5])
def test_the_forces_by_a_grid_are_those_of_all_pairs(spread):
    y = (spread * np.random.default_rng(0).standard_normal((300, 2))).astype(np.float32)
    apart = y[:, None].astype(float) - y
    w = 1 / (1 + (apart**2).sum(2))
    np.fill_diagonal(w, 0)
    exact = (w[:, :, None] ** 2 * apart).sum(1) / w.sum()
    off = np.linalg.norm(Repulsion()(y) - exact) / np.linalg.norm(exact)
    assert off < 0.1


def test_a_point_far_from_all_others_makes_the_grid_coarser_and_no_larger():
    y = np.random.default_rng(0).standard_normal((50, 2)).astype(np.float32)
    y[0] = 1e5
    assert np.isfinite(Repulsion()(y)).all()


def test_the_steps_bring_neighbours_together():
    x, y = clouds(300, spread=0.3)
    sample = Sample(x)
    p = affinities(sample)
    assert p.sum() == pytest.approx(1)
    assert abs(p - p.T).max() == 0
    places = descend(p, sample.seen[:, :2] * 0.01, 200, 4.0, nothing)
    middles = np.stack([places[y == c].mean(0) for c in range(3)])
    nearer = np.linalg.norm(places[:, None] - middles, axis=2).argmin(1)
    assert (nearer == y).mean() > 0.9


@given(st.integers(2, 40), st.integers(0, 2**32 - 1), st.booleans())
def test_a_map_that_was_turned_or_mirrored_is_turned_back(n, seed, mirrored):
    random = np.random.default_rng(seed)
    places, _ = shrunk(random.standard_normal((n, 2)))
    a = random.uniform(0, 2 * np.pi)
    r = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    other = places @ (r[:, ::-1] if mirrored else r)
    back = (other - other.mean(0)) @ turn(other, places) + places.mean(0)
    np.testing.assert_allclose(back, places, atol=1e-4)
    np.testing.assert_allclose(turn(other, places) @ turn(other, places).T, np.eye(2), atol=1e-9)


def test_a_map_laid_upon_another_stays_within_its_frame():
    random = np.random.default_rng(0)
    narrow, wide = (size * random.standard_normal((30, 2)) for size in (0.01, 9))
    for places in (narrow, wide):
        found, scale = laid_upon(places, np.arange(30), narrow)
        assert np.abs(found).max() == pytest.approx(1)
        sizes = [np.linalg.norm(each - each.mean(0)) for each in (found, places)]
        assert scale * sizes[0] == pytest.approx(sizes[1], rel=1e-5)


@settings(deadline=None)
@given(st.integers(1, 130), st.integers(1, 60), st.integers(0, 2**32 - 1), st.data())
def test_the_nearest_are_those_of_all_distances(m, n, seed, data):
    random = np.random.default_rng(seed)
    x, others = random.standard_normal((m, 5)), random.standard_normal((n, 5))
    k = data.draw(st.integers(1, m))
    sample = Sample(x)
    z = sample.along(others)
    near, apart = sample.nearest(z, k)
    exact = ((z[:, None] - sample.seen) ** 2).sum(2)
    np.testing.assert_allclose(np.sort(apart, axis=1), np.sort(exact, axis=1)[:, :k], atol=1e-5)
    np.testing.assert_allclose(apart, np.take_along_axis(exact, near, 1), atol=1e-5)
    assert all(len(set(row)) == k for row in near.tolist())


def test_of_many_copies_of_a_row_none_is_its_own_neighbour():
    near, apart = Sample(np.tile([[1.0, 2, 3]], (60, 1))).among_themselves(5)
    assert near.shape == (60, 5)
    assert not (near == np.arange(60)[:, None]).any()
    assert apart.max() < 1e-6


def test_a_row_lies_beside_the_row_of_the_sample_that_is_nearest():
    x, _ = clouds(400)
    sample = Sample(x[:200])
    places, _ = laid_out(sample, keys_of(200), None, nothing)
    among = Among(sample, places)
    copies = among.places(x[:200], keys_of(200))
    assert np.linalg.norm(copies - places, axis=1).max() < 0.2
    found = among.places(x[200:], keys_of(200))
    assert np.abs(found).max() <= 1
    np.testing.assert_array_equal(found, among.places(x[200:], keys_of(200)))
    one = among.places(x[300:301], keys_of(200)[100:101])
    np.testing.assert_allclose(found[100:101], one, atol=1e-5)  # whoever comes with it


def test_copies_of_a_text_do_not_lie_upon_each_other():
    x, _ = clouds(100)
    sample = Sample(x)
    places, _ = laid_out(sample, keys_of(100), None, nothing)
    copies = Among(sample, places).places(np.tile(x[:1], (50, 1)), keys_of(50))
    assert len(np.unique(copies, axis=0)) == 50


@pytest.mark.parametrize("x", [np.eye(3), np.ones((40, 5)), np.ones((1, 5)), np.zeros((9, 2))])
def test_few_or_equal_vectors_have_no_shape_and_are_strewn(x):
    places, _ = laid_out(Sample(x), keys_of(len(x)), None, nothing)
    np.testing.assert_array_equal(places, within_circle(keys_of(len(x))))
    assert len(np.unique(places, axis=0)) == len(x)


@pytest.mark.parametrize("columns", [1, 2])
def test_vectors_of_one_or_two_numbers_have_a_map(columns):
    x = np.random.default_rng(0).standard_normal((30, columns))
    places, _ = laid_out(Sample(x), keys_of(30), None, nothing)
    assert np.abs(places).max() == pytest.approx(1, abs=0.01)


def test_the_same_rows_have_the_same_map():
    x, _ = clouds(200)
    first, second = (laid_out(Sample(x), keys_of(200), None, nothing) for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])


def test_rows_that_changed_little_move_little_from_where_they_lay():
    x, _ = clouds(500)
    places, scale = laid_out(Sample(x), keys_of(500), None, nothing)
    other = x + 0.02 * np.random.default_rng(3).standard_normal(x.shape)
    guide = Guide(np.arange(500), places, scale)
    moved, _ = laid_out(Sample(other), keys_of(500), guide, nothing)
    anew, _ = laid_out(Sample(other), keys_of(500), None, nothing)
    far = [np.linalg.norm(found - places, axis=1).mean() for found in (moved, anew)]
    assert far[0] < 0.1
    assert far[0] < far[1]


def test_rows_that_a_guide_does_not_know_begin_among_those_that_it_knows():
    x, y = clouds(300, spread=0.2)
    places, scale = laid_out(Sample(x), keys_of(300), None, nothing)
    known = np.arange(0, 300, 2)
    again, _ = laid_out(Sample(x), keys_of(300), Guide(known, places[known], scale), nothing)
    middles = np.stack([again[known][y[known] == c].mean(0) for c in range(3)])
    nearer = np.linalg.norm(again[:, None] - middles, axis=2).argmin(1)
    assert (nearer == y).mean() > 0.95


def test_a_sample_has_rows_of_every_label_and_of_those_that_were_labelled():
    ids = [f"t{n}" for n in range(3_000)]
    keys = arrow.hash64(pl_series(ids))
    labels = np.where(np.arange(3_000) < 12, 7, np.arange(3_000) % 2).astype(np.uint64)
    first = ids[100:130]
    rows = drawn(keys, labels, first, 300)
    assert len(rows) == 300
    assert (np.diff(rows) > 0).all()
    assert set(range(100, 130)) <= set(rows.tolist())
    assert set(range(12)) <= set(rows.tolist())
    crowd = drawn(keys, labels, ids, 300)
    assert len(crowd) == 300  # as many were labelled as there are: half of them first
    np.testing.assert_array_equal(drawn(keys[:20], None, (), 300), np.arange(20))


def test_samples_of_a_corpus_that_grows_overlap():
    keys = keys_of(4_000)
    few, many = (set(keys[drawn(keys[:n], None, (), 500)].tolist()) for n in (2_000, 4_000))
    assert len(few & many) > 200


def pl_series(ids):
    import polars as pl

    return pl.Series(ids)
