"""One writer a workspace."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from flows.state.trust import ask
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.exchange import finish
from tasks.core.workspace.files import remove
from tasks.core.workspace.manifest import read_manifest
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.state_manifests import CheckoutNote

_ASKED = 0.5  # seconds; who asks whether another serves holds the lock for a moment


@contextmanager
def writer(paths: Paths, *, finishing: bool = False) -> Iterator[None]:
    """Hold the workspace's write lock; the operating system frees it when the process dies.

    What a writer that was killed left half-done is finished or removed first. Only a checkout is
    not: InputError unless the caller is `finishing` it.
    """
    ask(paths, "links", "store")
    paths.writer_lock.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(paths.writer_lock, is_singleton=True)
    _acquire(lock, "writes to this workspace")
    try:
        if lock.lock_counter == 1:
            _refuse_half_a_checkout(paths, finishing=finishing)
            finish(paths.root, paths.exchange)
            _finish_turning(paths)
            _sweep(paths)
        yield
    finally:
        lock.release()


@contextmanager
def comparing(paths: Paths) -> Iterator[None]:
    """Hold the place where earlier versions are laid out; whoever writes goes on meanwhile."""
    ask(paths, "links")
    paths.state.mkdir(parents=True, exist_ok=True)
    lock = FileLock(paths.comparing_lock)
    _acquire(lock, "compares versions of this workspace")
    try:
        yield
    finally:
        lock.release()


@contextmanager
def starting(paths: Paths) -> Iterator[BaseFileLock]:
    """Hold the start of `refract explore`, and yield its lock, to be released once it answers."""
    paths.state.mkdir(parents=True, exist_ok=True)
    lock = FileLock(paths.explore_lock)
    _acquire(lock, "starts to explore this workspace")
    try:
        yield lock
    finally:
        lock.release()


@contextmanager
def serving(paths: Paths, refusal: str) -> Iterator[None]:
    """Hold the lock of `refract serve`; InputError with `refusal` where another holds it."""
    ask(paths, "links")
    paths.state.mkdir(parents=True, exist_ok=True)
    lock = FileLock(paths.serve_lock)
    try:
        lock.acquire(timeout=_ASKED)
    except Timeout as error:
        raise InputError(refusal) from error
    try:
        yield
    finally:
        lock.release()


def is_served(paths: Paths) -> bool:
    """Tell whether a `refract serve` runs in the workspace."""
    return is_held(paths.serve_lock)


def is_held(file: Path) -> bool:
    """Tell whether another process, or thread, holds the lock of `file`."""
    if not file.is_file():
        return False
    lock = FileLock(file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def _acquire(lock: BaseFileLock, does: str) -> None:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"waiting for another refract that {does}", file=sys.stderr)
        lock.acquire()


def _refuse_half_a_checkout(paths: Paths, *, finishing: bool) -> None:
    if finishing or not paths.unfinished_checkout.is_file():
        return
    begun = read_manifest(paths.unfinished_checkout, CheckoutNote) or CheckoutNote()
    rev = begun.to or "REVISION"
    raise InputError(
        f"{paths.inside(paths.unfinished_checkout)}: found a checkout of {rev} that was stopped"
        f" halfway; expected a whole version; run 'refract checkout {rev}' again, or 'refract run',"
        " which finishes it"
    )


def _finish_turning(paths: Paths) -> None:
    if paths.turning.is_file() or paths.former.exists():
        from flows.migration.turning import finish_turning, forget_former

        finish_turning(paths)
        forget_former(paths)


def _sweep(paths: Paths) -> None:
    """Remove what a writer that was killed left half-written."""
    outputs = (paths.corpus, paths.vectors, paths.transforms, paths.views, paths.metrics)
    for folder in (*outputs, paths.quarantine):
        for path in list(folder.rglob(".*.tmp")):
            remove(path)
    if paths.bringing.is_file():
        from tasks.core.documents.bringing import sweep

        sweep(paths.raw, paths.bringing)
