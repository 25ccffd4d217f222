"""Modules imported without a look for garbage among what they are made of: a fifth of the time."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collecting() -> Iterator[None]:
    """Collect no garbage within the block; what is there at its end is never looked at again.

    Modules and their classes stay as long as the process. Prefect's server took 1.65 s of a
    processor to import so, else 2.1.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()
