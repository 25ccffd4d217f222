"""What a query has found out by fits of its own, kept until labels, settings or vectors change."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from flows.state.staleness import settings_fingerprint, wording
from tasks.core.encoding.label_names import NameReader
from tasks.core.labels.reader import LabelSet
from tasks.core.settings.params import Params
from tasks.core.workspace.files import content_hash, digest
from tasks.core.workspace.manifest import Part, read_manifest, write_manifest
from tasks.core.workspace.manifests import EmbedStamp
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.state_manifests import FoundNote

Found = TypeVar("Found", bound=Part)
REVISION = 1  # raise it where the same labels give other doubts or figures


def fit_on(paths: Paths, params: Params, labels: LabelSet, reader: NameReader | None) -> str:
    """Return a fingerprint of all that fits on `labels` follow from; reader: of their names."""
    base = read_manifest(paths.stamp("embed"), EmbedStamp) or EmbedStamp()
    asked = settings_fingerprint(params, wording(paths, params, labels.name))
    names = None if reader is None else reader.space
    vectors, classes = (base.read_by_transforms, base.digest), paths.classes(labels.name)
    named = (content_hash(classes),) if classes.is_file() else ()
    return digest(REVISION, asked, *vectors, labels.fingerprint, names, *named)


def found_before(path: Path, kind: type[Found], made_from: str) -> Found | None:
    """Return what is noted at `path` if it is whole, and follows from the same."""
    note = read_manifest(path, FoundNote)
    if note is None or note.made_from != made_from:
        return None
    try:
        return kind.model_validate(note.found)
    except ValidationError:  # somebody has edited it: then it is found anew
        return None


def keep(path: Path, found: Part, made_from: str) -> None:
    """Note what was found; in a workspace that may only be read it is found anew each time."""
    with suppress(OSError):
        write_manifest(path, FoundNote(made_from=made_from, found=found.model_dump()))
