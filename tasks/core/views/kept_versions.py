"""Which labels a transform has seen: a label file counts as its own only if the hash says so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from tasks.core.labels.corpus_column import content, place
from tasks.core.labels.files import NO_NAMES, LabelFile, OwnColumns, fingerprint, label_files
from tasks.core.labels.reader import LabelSet, no_labels, read_labels
from tasks.core.text.same_text import TextKeys, Texts
from tasks.core.transforms.card import CARD, is_whole, read_card
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import content_hash, write_bytes

_KEPT = "labels"  # folder with the copy of a label file beside the transform that it made


@dataclass(frozen=True)
class Seen:
    """The texts whose label a transform has seen, by id and by content, and those labels."""

    labels: dict[str, str]
    text_hashes: frozenset[str]

    @classmethod
    def of(cls, rows: LabelSet) -> Seen:
        """Return the ids, labels and hashes of labelled rows."""
        return cls(rows.label_of, frozenset(rows.text_hashes))


def keep_labels(kept: Path, file: LabelFile | None) -> None:
    """Lay a copy of the label file beside the kept transform that was made from it.

    A file that has changed since the fit is not copied: what the transform saw stays unknown.
    """
    if file is None or not is_whole(kept) or any(_made(kept, copy) for copy in copies(kept)):
        return
    try:
        found = {place(file, part): content(part) for part in file.parts}
    except (OSError, InputError):  # removed since the fit: no longer what the transform has seen
        return
    if fingerprint([content_hash(payload) for payload in found.values()]) == _named(kept):
        for name, payload in found.items():
            (kept / _KEPT / name).parent.mkdir(parents=True, exist_ok=True)
            write_bytes(kept / _KEPT / name, payload)


def labels_of(
    kept: Path,
    present: LabelFile | None,
    keys: TextKeys,
    separator: str | None,
    texts: Texts | None = None,
) -> LabelSet | None:
    """Return the labels that the kept transform was made from, or None where nobody knows them.

    present: the instruction's label file as it is now. keys, texts: as `read_labels` takes them.
    """
    own = present.own if present else NO_NAMES
    for file in (*copies(kept, own), *([present] if present else [])):
        try:
            if not _made(kept, file):
                continue
            if not file.labelled:
                return no_labels(file.instruction, read_card(kept).labels)
            return read_labels(file, keys, 1, 1, separator, texts)
        except InputError:  # not this one: what cannot be read proves nothing
            continue
    return None


def kept_versions(folder: Path, live: str) -> list[Path]:
    """Return the whole transforms kept in `folder` other than `live`, the newest first."""
    others = [path for path in folder.glob("*") if path.name != live and is_whole(path)]
    return sorted(others, key=lambda path: ((path / CARD).stat().st_mtime_ns, path.name))[::-1]


def copies(kept: Path, own: OwnColumns = NO_NAMES) -> list[LabelFile]:
    """Return the copy of the label file beside a kept transform; none where none was kept."""
    return [replace(file, own=own) for file in label_files(kept / _KEPT).values()]


def _made(kept: Path, file: LabelFile) -> bool:
    """Tell whether the kept transform was made from this label file as it is now."""
    try:
        hashes = [content_hash(content(part)) for part in file.parts]
        return fingerprint(hashes) == _named(kept)
    except (OSError, InputError):
        return False


def _named(kept: Path) -> str | None:
    return read_card(kept).made_from.get("labels")
