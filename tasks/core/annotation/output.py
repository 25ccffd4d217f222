"""The label file that Refract makes itself, and the card beside it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tasks.core.labels.files import instruction_of
from tasks.core.labels.precedence import MODEL
from tasks.core.labels.taxonomy import Label
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import content_hash, write_bytes
from tasks.core.workspace.label_manifests import LabelCard, TaxonomyEntry
from tasks.core.workspace.manifest import read_manifest, write_manifest

GONE = "gone from the corpus meanwhile"
EXAMPLES, EXCERPT = 3, 160  # texts of a label that the card shows, and characters of each


def check_place(file: Path, card: Path, name: str, *, weak: bool = False) -> None:
    """Refuse to write over labels that a person has made or edited, or beside them.

    weak: the new ones come from the encoder alone, and are not to take the place of a model's.
    """
    folder = file.parent / name
    there = sorted(file.parent.iterdir()) if file.parent.is_dir() else []
    others = [path for path in there if path != file and instruction_of(path, file.parent) == name]
    if others and not folder.is_dir():
        raise InputError(
            f"{others[0]}: found labels of instruction '{name}'; expected none beside those that"
            f" Refract makes; move it to {folder}/, where its labels win over them"
        )
    known = read_manifest(card, LabelCard) or LabelCard()
    if file.is_file() and content_hash(file) not in (known.file, known.file_before):
        raise InputError(
            f"{file}: found labels that 'refract label' has not made, or that were edited since;"
            f" expected none; move it to {folder}/, without the column 'source' where"
            " rows were corrected: then they win over a model's"
        )
    if weak and file.is_file() and known.source == MODEL:
        raise InputError(
            f"{file}: found labels by a model; expected none where weak ones go; give these another"
            f" name, or move the file to {folder}/, where its labels win over them"
        )


def write_labels(
    file: Path, card: Path, labelled: Mapping[str, str], source: str, about: LabelCard
) -> None:
    """Write a row a text, and the card; a kill in between leaves both known as Refract's own."""
    rows = [{"id": key, "label": label, "source": source} for key, label in labelled.items()]
    payload = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    before = content_hash(file) if file.is_file() else None
    write_manifest(card, about.changed(file=content_hash(payload), file_before=before))
    write_bytes(file, payload)


def is_made(file: Path, card: LabelCard) -> bool:
    """Tell whether the file is the one that the card is of."""
    return file.is_file() and content_hash(file) == card.file


def still_there(
    labelled: Mapping[str, str], texts: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, int]]:
    """Return the labels of the texts that the corpus still holds, and how many are left out."""
    there = {key: label for key, label in labelled.items() if key in texts}
    gone = len(labelled) - len(there)
    return there, {GONE: gone} if gone else {}


def described(
    labels: list[Label], labelled: Mapping[str, str], texts: Mapping[str, str]
) -> list[TaxonomyEntry]:
    """Return each label with its description, how many texts have it, and three of them."""
    counts = Counter(labelled.values())
    examples: dict[str, list[str]] = {}
    for key, label in labelled.items():
        own = examples.setdefault(label, [])
        if len(own) < EXAMPLES:
            own.append(" ".join(texts[key].split())[:EXCERPT])
    return [
        TaxonomyEntry(
            label=label.name,
            description=label.description,
            others=list(label.others),
            texts=counts[label.name],
            examples=examples.get(label.name, []),
        )
        for label in labels
    ]
