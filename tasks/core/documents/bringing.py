"""Files copied into data/raw, each whole or not at all, also where a kill comes in between."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from tasks.core.documents.copying import Incoming
from tasks.core.workspace.files import replacing, sweep_beside, sync_folder
from tasks.core.workspace.manifest import read_manifest, write_manifest
from tasks.core.workspace.state_manifests import BringingNote


def bring(files: Sequence[Incoming], raw: Path, note: Path) -> None:
    """Copy `files` to their places in `raw`; `note` names them until all are there."""
    names = [os.path.relpath(file.place, raw) for file in files]
    write_manifest(note, BringingNote(files=names))
    for file in files:
        with file.source.open("rb") as source, replacing(file.place) as copy:
            shutil.copyfileobj(source, copy)
        sync_folder(file.place.parent)
    note.unlink()


def sweep(raw: Path, note: Path) -> None:
    """Remove the half of a file that a kill has left: it would pass for a document in DVC."""
    begun, top = read_manifest(note, BringingNote), raw.resolve()
    for name in begun.files if begun else []:
        if "\0" not in name and Path(name).name:
            place = raw / name
            if place.parent.resolve().is_relative_to(top):
                sweep_beside(place)
    note.unlink(missing_ok=True)
