"""Several files that belong together, exchanged as one: a kill leaves all old ones or all new.

The new files are laid beside the old ones; then one note names them all, and from that moment on
the exchange counts: whoever takes the write lock next finishes what a kill has left open.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from tasks.core.workspace.files import content_hash, sync_folder, write_bytes
from tasks.core.workspace.manifest import read_manifest, write_manifest
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.state_manifests import ExchangeNote


def exchange(root: Path, note: Path, new: Mapping[Path, bytes], gone: Sequence[Path] = ()) -> None:
    """Give the files in `new` their content and remove those in `gone`, all or none of it.

    root: what holds them all. The last of `new` comes last, for readers that hold no lock.
    """
    complete(root, note, lay(root, new, gone))


def lay(root: Path, new: Mapping[Path, bytes], gone: Sequence[Path] = ()) -> ExchangeNote:
    """Lay the files in `new` beside their places, where nobody sees them; name what is to be."""
    for place, content in new.items():
        write_bytes(_beside(place), content)
        sync_folder(place.parent)
    return ExchangeNote(
        gone=[os.path.relpath(place, root) for place in gone],
        new=[os.path.relpath(place, root) for place in new],
        hashes=[content_hash(content) for content in new.values()],
    )


def complete(root: Path, note: Path, laid: ExchangeNote) -> None:
    """Do the exchange for which all is laid; the caller holds the write lock."""
    write_manifest(note, laid)
    sync_folder(note.parent)
    finish(root, note)


def finish(root: Path, note: Path) -> None:
    """Do what is left of an exchange that `note` names.

    Only what a verb makes is touched: the note may have come with a workspace from elsewhere, and
    settings that it laid in their places now were not those that the user was asked about.
    """
    begun = read_manifest(note, ExchangeNote) or ExchangeNote()
    for place in begun.gone:
        if _is_made(root, place):
            (root / place).unlink(missing_ok=True)
    for place, expected in zip(begun.new, begun.hashes, strict=False):
        if not _is_made(root, place):
            continue
        laid = _beside(root / place)
        if laid.is_file() and content_hash(laid) == expected:
            laid.replace(root / place)  # where none is laid, it is in its place already
            sync_folder(laid.parent)
    note.unlink(missing_ok=True)


def _beside(place: Path) -> Path:
    return place.with_name(f".{place.name}.next.tmp")


def _is_made(root: Path, place: str) -> bool:
    paths = Paths(root)
    made = (paths.transforms, paths.metrics, paths.quarantine, paths.state)
    if "\0" in place or not Path(place).name:
        return False
    folder = (root / place).parent.resolve()
    return any(folder.is_relative_to(paths.root.resolve() / one.relative_to(root)) for one in made)
