"""How many threads numpy's matrix products take."""

import numpy  # noqa: F401 - its BLAS is what is counted
from threadpoolctl import ThreadpoolController, threadpool_limits

from tasks.core.numerics.threads import one_thread


def threads():
    libraries = ThreadpoolController().select(user_api="blas").info()
    return {each["num_threads"] for each in libraries}


def test_one_thread_within_and_what_was_before_afterwards():
    with threadpool_limits(2, user_api="blas"):
        with one_thread():
            assert threads() == {1}
        assert threads() == {2}


def test_blocks_overlap_and_the_last_restores():
    with threadpool_limits(2, user_api="blas"):
        first, second = one_thread(), one_thread()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert threads() == {1}
        second.__exit__(None, None, None)
        assert threads() == {2}
