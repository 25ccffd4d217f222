"""How many threads numpy's matrix products take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock
from typing import Any

_lock = Lock()
_inside = 0
_limit: Any = None


@contextmanager
def one_thread() -> Iterator[None]:
    """Let numpy multiply matrices on one thread within the block, in the whole process.

    Small ones gain nothing by more: OpenBLAS's threads wait for each other by spinning. On two
    busy cores a query took 0.15 s of processor time to encode, on one thread 0.008; the intervals
    of a report 14.8 s, on one thread 1.1. Blocks of several threads may overlap; the last that
    ends restores what was before.
    """
    global _inside, _limit  # noqa: PLW0603 - as the number of threads itself is the process's
    with _lock:
        if not _inside:
            _limit = controller().limit(limits=1, user_api="blas")
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                _limit.restore_original_limits()


@lru_cache(maxsize=1)
def controller() -> Any:
    """Find the libraries that multiply matrices, once a process: this takes a hundredth second."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
