"""One writer a workspace."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from flows.trust import ask
from tasks.core.errors import InputError
from tasks.core.paths import Paths


@contextmanager
def writer(paths: Paths) -> Iterator[None]:
    """Hold the workspace's write lock; the operating system frees it when the process dies."""
    ask(paths, "links")
    paths.state.mkdir(parents=True, exist_ok=True)
    lock = FileLock(paths.writer_lock, is_singleton=True)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print("waiting for another refract that writes to this workspace", file=sys.stderr)
        lock.acquire()
    try:
        if lock.lock_counter == 1:
            _sweep(paths)
        yield
    finally:
        lock.release()


@contextmanager
def serving(paths: Paths, refusal: str) -> Iterator[None]:
    """Hold the lock of `refract serve`; InputError with `refusal` where another holds it."""
    ask(paths, "links")
    paths.state.mkdir(parents=True, exist_ok=True)
    lock = FileLock(paths.serve_lock)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputError(refusal) from error
    try:
        yield
    finally:
        lock.release()


def _sweep(paths: Paths) -> None:
    """Remove what a writer that was killed left half-written in the outputs."""
    outputs = (paths.corpus, paths.vectors, paths.transforms, paths.views, paths.metrics)
    for folder in (*outputs, paths.quarantine):
        for path in folder.rglob(".*.tmp"):
            path.unlink(missing_ok=True)
