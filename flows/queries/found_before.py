"""What a query has found out by fits of its own, kept until labels, settings or vectors change."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from flows.state.staleness import settings_fingerprint, wording
from tasks.core.labels.reader import LabelSet
from tasks.core.settings.params import Params
from tasks.core.workspace.files import digest
from tasks.core.workspace.manifest import read_manifest, write_manifest
from tasks.core.workspace.manifests import EmbedStamp
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.state_manifests import CheckNote, DoubtsNote

Note = TypeVar("Note", CheckNote, DoubtsNote)


def fit_on(paths: Paths, params: Params, labels: LabelSet) -> str:
    """Return a fingerprint of all that fits on `labels` follow from."""
    base = read_manifest(paths.stamp("embed"), EmbedStamp) or EmbedStamp()
    asked = settings_fingerprint(params, wording(paths, params, labels.name))
    return digest(asked, base.read_by_transforms, base.digest, labels.fingerprint)


def found_before(path: Path, kind: type[Note], made_from: str) -> Note | None:
    """Return the note at `path` if it follows from the same."""
    note = read_manifest(path, kind)
    return note if note is not None and note.made_from == made_from and not note.odd else None


def keep(path: Path, note: Note) -> None:
    """Write a note; in a workspace that may only be read it is found anew each time."""
    with suppress(OSError):
        write_manifest(path, note)
