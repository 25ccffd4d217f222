"""Several files that belong together, exchanged as one: a kill leaves all old ones or all new.

The new files are laid beside the old ones; then one note names them all, and from that moment on
the exchange counts: whoever takes the write lock next finishes what a kill has left open.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.core.workspace.files import content_hash, read_json, sync_folder, write_bytes, write_json
from tasks.core.workspace.paths import Paths


def exchange(root: Path, note: Path, new: Mapping[Path, bytes], gone: Sequence[Path] = ()) -> None:
    """Give the files in `new` their content and remove those in `gone`, all or none of it.

    root: what holds them all. The last of `new` comes last, for readers that hold no lock.
    """
    for place, content in new.items():
        write_bytes(_beside(place), content)
        sync_folder(place.parent)
    names = {
        "gone": [os.path.relpath(place, root) for place in gone],
        "new": [os.path.relpath(place, root) for place in new],
        "hashes": [content_hash(content) for content in new.values()],
    }
    write_json(note, names)
    sync_folder(note.parent)
    finish(root, note)


def finish(root: Path, note: Path) -> None:
    """Do what is left of an exchange that `note` names.

    Only what a verb makes is touched: the note may have come with a workspace from elsewhere, and
    settings that it laid in their places now were not those that the user was asked about.
    """
    begun = read_json(note) or {}
    for place in _names(begun.get("gone")):
        if _is_made(root, place):
            (root / place).unlink(missing_ok=True)
    for place, expected in zip(_names(begun.get("new")), _names(begun.get("hashes")), strict=False):
        if not _is_made(root, place):
            continue
        laid = _beside(root / place)
        if laid.is_file() and content_hash(laid) == expected:
            laid.replace(root / place)  # where none is laid, it is in its place already
            sync_folder(laid.parent)
    note.unlink(missing_ok=True)


def _beside(place: Path) -> Path:
    return place.with_name(f".{place.name}.next.tmp")


def _names(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _is_made(root: Path, place: str) -> bool:
    paths = Paths(root)
    made = (paths.transforms, paths.metrics, paths.quarantine, paths.state)
    if "\0" in place or not Path(place).name:
        return False
    folder = (root / place).parent.resolve()
    return any(folder.is_relative_to(paths.root.resolve() / one.relative_to(root)) for one in made)
