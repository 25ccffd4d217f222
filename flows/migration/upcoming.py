"""The encoder that is to follow the one at work: what is there of it, and what it is to see."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from flows.migration.next_paths import NextPaths
from flows.runtime.lock import writer
from tasks.core.settings.params import Params, load_params
from tasks.core.settings.table_sections import EmbedSettings
from tasks.core.store import tables
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifest import read_manifest, write_manifest
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.state_manifests import NextNote

_ASKED = 0.5  # seconds; who gives the next encoder up, where there is none, holds the lock so long


def opened(root: Path, *, upcoming: bool = False) -> tuple[Paths, Params]:
    """Return the workspace at `root` and its settings; upcoming: as the next encoder sees it.

    InputError where params.yaml names no next encoder.
    """
    paths = Paths(root)
    params = load_params(paths.params)
    if not upcoming:
        return paths, params
    return NextPaths(root), params.model_copy(update={"embed": following(params)})


def following(params: Params) -> EmbedSettings:
    """Return the settings of the next encoder; InputError where params.yaml names none."""
    found = params.embed.following
    if found is None:
        raise InputError(
            "params.yaml: embed.next: found null; expected what the next encoder has other than"
            " embed, such as {model: NAME}; set it, then run 'refract embed --migrate'"
        )
    return found


def come(paths: Paths, left: int) -> None:
    """Note how many texts are left for the next encoder, where `paths` are those of it."""
    if isinstance(paths, NextPaths):
        texts = tables.count(paths.corpus_table)
        write_manifest(paths.next_note, NextNote(encoded=texts - left, texts=texts))


def how_far(paths: Paths) -> NextNote | None:
    """Return how far the next encoder has come; None where none is on its way."""
    if not paths.next.is_dir():
        return None
    return read_manifest(paths.next_note, NextNote) or NextNote()


def described(settings: Mapping[str, object] | None) -> str:
    """Write what an encoder has other than another, such as 'model: NAME, max_length: 64'."""
    return ", ".join(f"{key}: {value}" for key, value in (settings or {}).items())


@contextmanager
def alone(paths: Paths) -> Iterator[None]:
    """Hold the lock of whoever brings the next encoder; InputError where another holds it."""
    paths.state.mkdir(parents=True, exist_ok=True)
    lock = FileLock(paths.migration_lock)
    try:
        lock.acquire(timeout=_ASKED)
    except Timeout as error:
        raise InputError(
            "embed: found another command that brings the next encoder here; expected one at a"
            " time; let it end, or stop it (Ctrl-C), and run this again"
        ) from error
    try:
        yield
    finally:
        lock.release()


def call_off(paths: Paths) -> bool:
    """Remove what the next encoder has made; return whether there was anything.

    InputError while it is being brought.
    """
    with alone(paths), writer(paths):
        there = paths.next.exists()
        if there and not paths.next.is_symlink():
            shutil.rmtree(paths.next)
        paths.next.unlink(missing_ok=True)
    return there
