"""Files copied into data/raw, each whole or not at all, also where a kill comes in between."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from tasks.core.documents.copying import Incoming
from tasks.core.workspace.files import read_json, replacing, sweep_beside, sync_folder, write_json


def bring(files: Sequence[Incoming], raw: Path, note: Path) -> None:
    """Copy `files` to their places in `raw`; `note` names them until all are there."""
    write_json(note, {"files": [os.path.relpath(file.place, raw) for file in files]})
    for file in files:
        with file.source.open("rb") as source, replacing(file.place) as copy:
            shutil.copyfileobj(source, copy)
        sync_folder(file.place.parent)
    note.unlink()


def sweep(raw: Path, note: Path) -> None:
    """Remove the half of a file that a kill has left: it would pass for a document in DVC."""
    begun, top = read_json(note), raw.resolve()
    names = (begun or {}).get("files")
    for name in names if isinstance(names, list) else []:
        if isinstance(name, str) and "\0" not in name and Path(name).name:
            place = raw / name
            if place.parent.resolve().is_relative_to(top):
                sweep_beside(place)
    note.unlink(missing_ok=True)
