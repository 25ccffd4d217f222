"""Rows in 8 bits: how far from the rows they are of, and what nothing changes any more."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tasks.core.numerics.rows import unit_rows, whole_rows

ROWS = arrays(
    np.float32,
    st.tuples(st.integers(0, 5), st.integers(1, 24)),
    elements=st.floats(-8, 8, width=32).map(lambda x: 0.0 if abs(x) < 2**-20 else x),
)


@settings(deadline=None, max_examples=60)
@given(x=ROWS)
def test_each_number_is_within_half_a_step_and_each_direction_near(x):
    q = whole_rows(x)
    assert (q.dtype, q.shape) == (np.dtype("int8"), x.shape)
    step = np.abs(x).max(axis=1, initial=0, keepdims=True) / 127
    assert (np.abs(x - step * q) <= step * 0.5001).all()
    there = x.any(axis=1)
    cosines = (unit_rows(x) * unit_rows(q)).sum(axis=1)[there]
    assert (1 - cosines**2 <= x.shape[1] / 254**2 + 1e-5).all()
    assert (np.abs(q).max(axis=1, initial=0) == np.where(there, 127, 0)).all()


@settings(deadline=None, max_examples=30)
@given(x=ROWS, longer=st.sampled_from([0.25, 2.0, 1024.0]))
def test_nothing_is_lost_twice_and_length_counts_for_nothing(x, longer):
    q = whole_rows(x)
    np.testing.assert_array_equal(whole_rows(q), q)
    np.testing.assert_array_equal(whole_rows(longer * x), q)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_row_that_is_not_finite_is_refused(wrong):
    with pytest.raises(ValueError, match="1 rows are not finite"):
        whole_rows(np.array([[1, 2], [wrong, 1]]))
