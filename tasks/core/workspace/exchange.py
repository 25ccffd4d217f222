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
    """Do what is left of an exchange that `note` names; what is no file below `root` stays."""
    begun = read_json(note) or {}
    for place in _names(begun.get("gone")):
        if _is_inside(root, place):
            (root / place).unlink(missing_ok=True)
    for place, expected in zip(_names(begun.get("new")), _names(begun.get("hashes")), strict=False):
        laid = _beside(root / place)
        if _is_inside(root, place) and laid.is_file() and content_hash(laid) == expected:
            laid.replace(root / place)  # where none is laid, it is in its place already
            sync_folder(laid.parent)
    note.unlink(missing_ok=True)


def _beside(place: Path) -> Path:
    return place.with_name(f".{place.name}.next.tmp")


def _names(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _is_inside(root: Path, place: str) -> bool:
    return (root / place).parent.resolve().is_relative_to(root.resolve())
