"""Symbolic links in a workspace: whoever made it decides where they lead."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths

_DEEP = 4  # levels of `.dvc`: `cache/files/md5/xx`; below it are contents by hash
_SHALLOW = 3  # levels of `.refract`: `shards/VERB/FILE`


def links_of_outputs(paths: Paths) -> list[Path]:
    """Return the links where Refract and DVC write; not those that DVC itself made to its cache."""
    root = paths.root
    tops = (paths.params, paths.pipeline, paths.lock, paths.raw_note, paths.raw, paths.labels)
    found = [path for path in (*tops, paths.data, paths.state, paths.dvc) if path.is_symlink()]
    passed = {paths.raw, paths.labels}  # links in these are read, and only told of
    cache = (paths.dvc / "cache").resolve()
    for folder, depth in ((paths.data, 99), (paths.dvc, _DEEP), (paths.state, _SHALLOW)):
        if not folder.is_symlink():
            found += [path for path in _links(folder, passed, depth) if not _into(cache, path)]
    return sorted(set(found), key=lambda path: path.relative_to(root).parts)


def links_of_inputs(paths: Paths) -> list[Path]:
    """Return the links among documents and labels that lead out of the workspace."""
    root = paths.root.resolve()
    found = []
    for folder in (paths.raw, paths.labels):
        found += [path for path in _links(folder, set(), 99) if not _into(root, path, False)]
    return sorted(set(found))


def refuse_links(root: Path, outputs: tuple[str, ...], cache: Path) -> None:
    """Raise InputError where an output, the way to it, or anything in it is a link elsewhere."""
    for output in outputs:
        way = root
        for part in Path(output).parts:
            way = way / part
            if way.is_symlink():
                _refuse(root, way)
        for path in _links(root / output, set(), 99):
            if not _into(cache, path):
                _refuse(root, path)


def _refuse(root: Path, path: Path) -> None:
    raise InputError(
        f"{path.relative_to(root)}: is a link to {_target(path)}; expected a file or folder of the"
        " workspace's own, since DVC would write there; nothing was written through it; remove it"
    )


def _target(path: Path) -> str:
    return str(path.readlink())[:200]


def _into(folder: Path, path: Path, whole: bool = True) -> bool:
    """Tell whether a link leads below `folder`; `whole`: to a file there."""
    try:
        target = path.resolve()
    except (OSError, RuntimeError):  # a loop
        return False
    return folder in target.parents and (target.is_file() or not whole)


def _links(folder: Path, passed: set[Path], depth: int) -> Iterator[Path]:
    try:
        entries = list(os.scandir(folder))
    except OSError:  # not there, or not readable: then nothing is written there either
        return
    for entry in entries:
        path = folder / entry.name
        if entry.is_symlink():
            if path not in passed:
                yield path
        elif path not in passed and depth > 1 and entry.is_dir(follow_symlinks=False):
            yield from _links(path, passed, depth - 1)
