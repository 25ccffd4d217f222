"""Files copied into data/raw, each whole or not at all, also where a kill comes in between."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from tasks.core.documents.copying import Incoming
from tasks.core.workspace.files import naming, read_json, sync_folder, write_json


def bring(files: Sequence[Incoming], raw: Path, note: Path) -> None:
    """Copy `files` to their places in `raw`; `note` names them until all are there."""
    write_json(note, {"files": [os.path.relpath(file.place, raw) for file in files]})
    for file in files:
        file.place.parent.mkdir(parents=True, exist_ok=True)
        half = _half(file.place)
        with naming(file.place), file.source.open("rb") as source, half.open("wb") as copy:
            shutil.copyfileobj(source, copy)
            copy.flush()
            os.fsync(copy.fileno())
        half.replace(file.place)
        sync_folder(file.place.parent)
    note.unlink()


def sweep(raw: Path, note: Path) -> None:
    """Remove the half of a file that a kill has left: it would pass for a document in DVC."""
    begun, top = read_json(note), raw.resolve()
    names = (begun or {}).get("files")
    for name in names if isinstance(names, list) else []:
        if isinstance(name, str) and "\0" not in name and Path(name).name:
            half = _half(raw / name)
            if half.parent.resolve().is_relative_to(top):
                half.unlink(missing_ok=True)
    note.unlink(missing_ok=True)


def _half(place: Path) -> Path:
    return place.with_name(f".{place.name}.tmp")
