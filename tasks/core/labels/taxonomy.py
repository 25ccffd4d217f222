"""The labels of one aspect by name, each with what it is for, in a file one can edit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.core.text.folding import folded
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import check_regular

ABSTAIN = "other / unclear"
LONGEST = 60  # characters of a label: more is a sentence
DESCRIBED = 300  # characters of a description


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


def read_taxonomy(path: Path) -> list[Label]:
    """Read labels, one a line: a name, and a description behind a colon if there is one.

    Blank lines and those that begin with '#' are passed over. InputError where there are not two.
    """
    check_regular(path)
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: not readable as UTF-8 text; expected a label a line; correct the path"
        ) from error
    return parsed(lines, str(path))


def parsed(lines: Sequence[str], where: str) -> list[Label]:
    """Return the labels that `lines` name, as `read_taxonomy` does; where: what they are of."""
    labels: dict[str, Label] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, _, description = line.partition(":")
        if not clean(name):
            raise InputError(
                f"{where}: line {number}: found no label before a colon; expected 'label:"
                f" description', the label with at most {LONGEST} characters; correct it"
            )
        if plain(name) in labels:
            raise InputError(
                f"{where}: line {number}: found label {clean(name)!r} a second time; expected each"
                " once; remove one"
            )
        if plain(name) != plain(ABSTAIN):
            labels[plain(name)] = Label(clean(name), " ".join(description.split()))
    if len(labels) < 2:
        raise InputError(f"{where}: found {len(labels)} labels; expected at least 2; add some")
    return list(labels.values())


def render_taxonomy(labels: Sequence[Label], heading: Sequence[str] = ()) -> str:
    """Write labels as `read_taxonomy` reads them, what they were merged from as comments."""
    lines = [f"# {line}" for line in heading]
    for label in labels:
        described = " ".join(label.description.split())
        lines.append(f"{label.name.replace(':', ' ')}: {described}".rstrip(": "))
        if label.size:
            merged = f"; also named: {', '.join(label.others)}" if label.others else ""
            lines.append(f"#   of {label.size} texts{merged}")
    return "\n".join(lines) + "\n"
