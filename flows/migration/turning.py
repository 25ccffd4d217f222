"""The workspace turned over to the next encoder, all of it or nothing.

What the next encoder has made takes the place of what the encoder before it made, folder by
folder, and `embed.next` becomes `embed` in params.yaml. A note is there from the first step to the
last: whoever takes the write lock after a kill does the rest, and who reads waits for it.
"""

from __future__ import annotations

import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from flows.runtime.lock import writer
from tasks.core.settings.params import load_params
from tasks.core.settings.write_setting import write_setting
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import sync_folder
from tasks.core.workspace.manifest import write_manifest
from tasks.core.workspace.next_paths import NextPaths
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.state_manifests import TurnNote

_PATIENCE = 10.0  # seconds; to turn over takes some milliseconds
_LOOK = 0.01  # seconds between two looks


def turn(paths: Paths, model: str) -> None:
    """Turn the workspace over to what the next encoder has made; the caller holds the lock."""
    write_manifest(paths.turning, TurnNote(model=model))
    sync_folder(paths.turning.parent)
    finish_turning(paths)


def finish_turning(paths: Paths) -> None:
    """Do what is left of a turn that was begun; the caller holds the write lock."""
    if not paths.turning.is_file():
        return
    for new, place in _moves(NextPaths(paths.root), paths):
        if not new.exists():
            continue  # it is in its place already
        if new.is_symlink():
            raise InputError(
                f"{paths.inside(new)}: found a link; expected what the next encoder has made;"
                f" remove {paths.inside(paths.turning)} and {paths.inside(paths.next)}"
            )
        before = paths.next / "former" / place.relative_to(paths.root)
        if place.exists() and not before.exists():
            before.parent.mkdir(parents=True, exist_ok=True)
            place.rename(before)
        new.rename(place)
        sync_folder(place.parent)
    _adopt(paths)
    shutil.rmtree(paths.all_shards, ignore_errors=True)  # of tables that are gone
    paths.recorded.unlink(missing_ok=True)
    forget_former(paths)
    paths.next.rename(paths.former)
    paths.turning.unlink()
    forget_former(paths)


def was_stopped(paths: Paths) -> bool:
    """Tell whether a turn was stopped halfway, and finish it."""
    if not paths.turning.is_file():
        return False
    with writer(paths):
        return True


def forget_former(paths: Paths) -> None:
    """Remove what the encoder before the last turn had made."""
    if paths.former.exists():
        shutil.rmtree(paths.former)


def wait_turned(paths: Paths) -> None:
    """Wait while the workspace turns over; InputError where that was killed halfway."""
    until = time.monotonic() + _PATIENCE
    while paths.turning.is_file():
        if time.monotonic() > until:
            raise InputError(
                f"{paths.inside(paths.turning)}: found a turn to the next encoder that was stopped"
                " halfway; expected a whole one; 'refract run' finishes it"
            )
        time.sleep(_LOOK)


def _moves(new: Paths, old: Paths) -> Iterator[tuple[Path, Path]]:
    """Pair what the next encoder has made, and where it belongs; the vectors last."""
    return zip(_made(new), _made(old), strict=True)


def _made(paths: Paths) -> tuple[Path, ...]:
    scores = (paths.metric_folder, paths.score_table, paths.shift_table)
    rejected = paths.quarantine / "labels"
    return rejected, *scores, paths.transforms, paths.views, paths.vectors


def check_adoptable(paths: Paths) -> None:
    """Refuse settings in which `embed.next` cannot become `embed` without loss."""
    with tempfile.TemporaryDirectory(dir=paths.state) as folder:
        _adopted(paths.params, Path(folder))


def _adopt(paths: Paths) -> None:
    """Let `embed` in params.yaml be what `embed.next` says, in one write."""
    if load_params(paths.params).embed.next is not None:
        _adopted(paths.params, paths.next).replace(paths.params)
        sync_folder(paths.root)


def _adopted(params: Path, folder: Path) -> Path:
    """Write a copy of params.yaml into `folder` in which the next encoder is the one at work."""
    if params.is_symlink() or not params.stat().st_mode & stat.S_IWUSR:
        write_setting(params, ("embed", "next"), None)  # is refused, and says how
    laid = Path(shutil.copy2(params, folder / params.name))
    for key, value in (load_params(laid).embed.next or {}).items():
        write_setting(laid, ("embed", key), value)
    write_setting(laid, ("embed", "next"), None)
    return laid
