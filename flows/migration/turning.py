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

from flows.migration.next_paths import NextPaths
from flows.runtime.lock import writer
from tasks.core.settings.params import load_params
from tasks.core.settings.write_setting import write_settings
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import sync_folder
from tasks.core.workspace.manifest import read_manifest, write_manifest
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.state_manifests import TurnNote

_PATIENCE = 10.0  # seconds; to turn over takes 75 ms of a processor, a second of a busy one
_LOOK = 0.01  # seconds between two looks


def turn(paths: Paths, settings: dict[str, object]) -> None:
    """Turn the workspace over to what the next encoder has made; the caller holds the lock.

    settings: what that encoder has other than the one before: whatever params.yaml says by now.
    """
    write_manifest(paths.turning, TurnNote(settings=settings))
    sync_folder(paths.turning.parent)
    finish_turning(paths)


def finish_turning(paths: Paths) -> None:
    """Do what is left of a turn that was begun; the caller holds the write lock."""
    note = read_manifest(paths.turning, TurnNote)
    if note is None:
        return
    for new, place in _moves(NextPaths(paths.root), paths):
        if not new.exists():
            continue  # it is in its place already
        if new.resolve() != paths.root.resolve() / new.relative_to(paths.root):
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
    _adopt(paths, note.settings)
    shutil.rmtree(paths.all_shards, ignore_errors=True)  # of tables that are gone
    paths.recorded.unlink(missing_ok=True)
    forget_former(paths)
    if paths.next.exists():  # else it was killed just here
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
    if paths.former.is_symlink():
        paths.former.unlink()
    elif paths.former.exists():
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


def check_turnable(paths: Paths, settings: dict[str, object]) -> None:
    """Refuse a workspace that could not turn over, before hours are spent on it."""
    paths.state.mkdir(parents=True, exist_ok=True)
    disk = paths.state.stat().st_dev
    for place in _made(paths):
        there = next(one for one in (place, *place.parents) if one.exists())
        if place.is_symlink() or there.stat().st_dev != disk:
            found = "a link" if place.is_symlink() else "another file system"
            raise InputError(
                f"{paths.inside(place)}: found {found}; expected it on the file system of"
                f" {paths.inside(paths.state)}, where the next encoder's lies until it takes its"
                " place; bring both together, or run 'refract embed --rebuild'"
            )
    if paths.next.is_symlink():
        raise InputError(
            f"{paths.inside(paths.next)}: found a link; expected a folder; remove the link"
        )
    with tempfile.TemporaryDirectory(dir=paths.state) as folder:
        _adopted(paths.params, Path(folder), settings)


def _adopt(paths: Paths, settings: dict[str, object]) -> None:
    """Let `embed` in params.yaml be what the next encoder was made by, in one write."""
    embed = load_params(paths.params).embed
    if embed.next == settings or any(getattr(embed, key) != settings[key] for key in settings):
        _adopted(paths.params, paths.next, settings).replace(paths.params)
        sync_folder(paths.root)


def _adopted(params: Path, folder: Path, settings: dict[str, object]) -> Path:
    """Write a copy of params.yaml into `folder` in which the next encoder is the one at work.

    Another one that is named by now is to follow that.
    """
    changes: dict[tuple[str, ...], object] = {("embed", key): settings[key] for key in settings}
    if load_params(params).embed.next == settings:
        changes["embed", "next"] = None
    if params.is_symlink() or not params.stat().st_mode & stat.S_IWUSR:
        write_settings(params, changes)  # is refused, and says how
    laid = Path(shutil.copy2(params, folder / params.name))
    write_settings(laid, changes)
    return laid
