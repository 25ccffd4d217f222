"""One writer a workspace."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from tasks.core.paths import Paths


@contextmanager
def writer(paths: Paths) -> Iterator[None]:
    """Hold the workspace's write lock; the operating system frees it when the process dies."""
    paths.state.mkdir(parents=True, exist_ok=True)
    lock = FileLock(paths.writer_lock, is_singleton=True)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print("waiting for another refract that writes to this workspace", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
