"""Texts with several labels: the labels of one text as one string, a sorted JSON list."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tasks.core.labels.cells import tidy
from tasks.core.readers.records import encodable
from tasks.core.workspace.files import digest


def joined(labels: Iterable[str]) -> str:
    """Return the labels of one text as one string."""
    names = sorted({name for label in labels if (name := tidy(label))})
    return json.dumps(names, ensure_ascii=False) if len(names) > 1 else "".join(names)


def members(label: str) -> tuple[str, ...]:
    """Return the labels that a string from `joined` stands for; most often it is one label."""
    listed = _listed(label) if label.startswith("[") else None
    return (label,) if listed is None else tuple(listed)


def pairs(label_of: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return (text, label) for each label of each text, from what `joined` gave by text."""
    return [(key, name) for key, label in label_of.items() for name in members(label)]


def one_of(key: str, labels: Sequence[Any]) -> Any:
    """Return one of the labels of the text `key`: always the same, each of them as likely."""
    return labels[int(digest(key), 16) % len(labels)]


def one_each(label_of: Mapping[str, str]) -> dict[str, str]:
    """Return for each text one of its labels, as `one_of` chooses it."""
    return {key: one_of(key, members(label)) for key, label in label_of.items()}


def _listed(text: str) -> list[str] | None:
    """Return the members of a JSON list of words and numbers, or None for anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, list) or not all(isinstance(one, str | int | float) for one in value):
        return None
    names = [one if isinstance(one, str) else json.dumps(one) for one in value]
    return names if all(map(encodable, names)) else None
