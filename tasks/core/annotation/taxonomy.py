"""The labels of one aspect: merged where they mean the same, and kept in a file one can edit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tasks.core.text.folding import folded
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import check_regular

ABSTAIN = "other / unclear"
LONGEST = 60  # characters of a label: more is a sentence
DESCRIBED = 300  # characters of a description

Embed = Callable[[Sequence[str]], np.ndarray]
"""Texts to unit vectors (n, d)."""


@dataclass(frozen=True)
class Label:
    """One label; `size` notes led to it, `others` are names that were merged into it."""

    name: str
    description: str = ""
    size: int = 0
    others: tuple[str, ...] = ()


def plain(name: str) -> str:
    """Return a name without case, punctuation and accents' forms, by which names are equal."""
    return folded(name)


def clean(name: str) -> str:
    """Return a name as it may stand in a file of labels; empty if it cannot be one."""
    flat = " ".join(name.split()).strip(" \"'`.,:;*#-")
    return flat if plain(flat) and len(flat) <= LONGEST and flat.isprintable() else ""


def merge(labels: Sequence[Label], embed: Embed, threshold: float) -> list[Label]:
    """Merge labels whose names are equal up to case and punctuation, or nearly so in meaning.

    Nearly: the cosine of their vectors is `threshold` or more. The label of the most notes gives
    its name and description. Labels that mean to abstain are left out. Measured with the bundled
    encoder at 0.8, 0.85, 0.9, 0.95: of 36 pairs written to mean the same 17, 14, 11, 5 are merged,
    of 16 near opposites ("urgent", "not urgent") 3, 2, 0, 0, and of the 15,830 pairs of true labels
    of 14 aspects 12, 2, 1, 1.
    """
    kept: dict[str, Label] = {}
    for label in sorted(labels, key=lambda each: (-each.size, plain(each.name))):
        key = plain(label.name)
        if key != plain(ABSTAIN):
            kept[key] = _joined(kept[key], label) if key in kept else label
    found = list(kept.values())
    return _merge_near(found, embed, threshold) if len(found) > 1 else found


def _merge_near(labels: list[Label], embed: Embed, threshold: float) -> list[Label]:
    x = embed([label.name for label in labels])
    merged: list[Label] = []
    rows: list[int] = []
    for row, label in enumerate(labels):
        near = [float(x[row] @ x[other]) for other in rows]
        if near and max(near) >= threshold:
            at = int(np.argmax(near))
            merged[at] = _joined(merged[at], label)
        else:
            merged.append(label)
            rows.append(row)
    return merged


def _joined(first: Label, second: Label) -> Label:
    names = dict.fromkeys((*first.others, second.name, *second.others))
    others = tuple(name for name in names if name != first.name)
    return replace(first, size=first.size + second.size, others=others)


def read_taxonomy(path: Path) -> list[Label]:
    """Read labels, one a line: a name, and a description behind a colon if there is one.

    Blank lines and those that begin with '#' are passed over.
    """
    check_regular(path)
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: not readable as UTF-8 text; expected a label a line; correct the path"
        ) from error
    labels: dict[str, Label] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, _, description = line.partition(":")
        if not clean(name):
            raise InputError(
                f"{path}: line {number}: found no label before a colon; expected 'label:"
                f" description', the label with at most {LONGEST} characters; correct it"
            )
        if plain(name) in labels:
            raise InputError(
                f"{path}: line {number}: found label {clean(name)!r} a second time; expected each"
                " once; remove one"
            )
        if plain(name) != plain(ABSTAIN):
            labels[plain(name)] = Label(clean(name), " ".join(description.split()))
    if len(labels) < 2:
        raise InputError(f"{path}: found {len(labels)} labels; expected at least 2; add some")
    return list(labels.values())


def render_taxonomy(labels: Sequence[Label], heading: Sequence[str] = ()) -> str:
    """Write labels as `read_taxonomy` reads them, what they were merged from as comments."""
    lines = [f"# {line}" for line in heading]
    for label in labels:
        described = " ".join(label.description.split())
        lines.append(f"{label.name.replace(':', ' ')}: {described}".rstrip())
        if label.size:
            merged = f"; also named: {', '.join(label.others)}" if label.others else ""
            lines.append(f"#   of {label.size} texts{merged}")
    return "\n".join(lines) + "\n"
