"""The label file of one annotator of `refract explore`: a row a text, written whole or not at all.

The names of its columns are none that an instruction may have, but for `label` and `id`: whatever
the instruction is called, the label stands in the column `label`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tasks.core.labels.precedence import EXPLORE, SOURCE
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import content_hash, sync_folder, write_bytes

ANNOTATOR, TIME = "_annotator_id", "_timestamp"


@dataclass(frozen=True)
class PostedLabel:
    """What one annotator says of one text, and when, in UTC. Several labels are a JSON list."""

    id: str
    label: str
    annotator: str
    time: str


def is_posted(file: Path) -> bool:
    """Tell by its name whether a label file holds what was posted."""
    return file.name.startswith("explore-") and file.suffix == ".jsonl"


def read_posted(file: Path) -> dict[str, PostedLabel]:
    """Return the labels in `file` by id, none where it is not there; of one id the last counts.

    InputError for a row that is no object with an id and a label: somebody has edited it.
    """
    if not file.is_file():
        return {}
    found: dict[str, PostedLabel] = {}
    for at, line in enumerate(file.read_bytes().split(b"\n"), 1):
        if line.strip():
            row = _row(line)
            if row is None:
                raise InputError(
                    f"{file}: line {at} is no row of an id and a label; expected it as it was"
                    " written; correct or remove the line"
                )
            found[row.id] = row
    return found


def write_posted(file: Path, rows: Mapping[str, PostedLabel]) -> None:
    """Replace `file` by these rows, on disk when this returns; where there are none it goes."""
    if rows:
        fresh = not file.parent.is_dir()
        write_bytes(file, content(rows))
        sync_folder(file.parent)
        if fresh:
            sync_folder(file.parent.parent)
        return
    file.unlink(missing_ok=True)
    try:
        file.parent.rmdir()
    except OSError:  # another file is there: the instruction's folder stays
        sync_folder(file.parent)
    else:
        sync_folder(file.parent.parent)


def state(file: Path) -> str:
    """Return what tells one content of `file` from another; '' where it is not there."""
    return content_hash(file) if file.is_file() else ""


def content(rows: Mapping[str, PostedLabel]) -> bytes:
    """Return rows as the file holds them, a line each."""
    return b"".join(_line(row) for row in rows.values())


def _line(row: PostedLabel) -> bytes:
    value = {
        "id": row.id,
        "label": row.label,
        SOURCE: EXPLORE,
        ANNOTATOR: row.annotator,
        TIME: row.time,
    }
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


def _row(line: bytes) -> PostedLabel | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    key, label = value.get("id"), value.get("label")
    if not (isinstance(key, str) and key and isinstance(label, str) and label):
        return None
    who, when = value.get(ANNOTATOR), value.get(TIME)
    return PostedLabel(key, label, str(who or ""), str(when or ""))
