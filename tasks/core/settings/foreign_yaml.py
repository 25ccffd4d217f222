"""YAML that others wrote: read as a mapping, or refused before it does harm."""

from __future__ import annotations

from typing import Any

import yaml

from tasks.core.workspace.errors import InputError
from tasks.core.workspace.merge_conflicts import refuse_conflict

_MOST_BYTES = 4 * 2**20  # a recorded workspace's notes have some kilobytes
_MOST_DEPTH = 64  # YAML's own loader recurses, and ends the process at some thousands
_SHOWN = 80


def read_yaml(name: str, content: bytes) -> dict[str, Any]:
    """Read a note of DVC; InputError for one that is none, or that only does harm."""
    refuse_conflict(name, content)
    if len(content) > _MOST_BYTES:
        raise InputError(f"{name}: {len(content):,} bytes; expected a note of DVC; restore it")
    try:
        _check_depth(name, content)
        note = yaml.load(content, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        said = cut(" ".join(str(error).split()))
        raise InputError(f"{name}: not readable as YAML ({said}); restore it") from error
    if note is None:
        return {}
    if not isinstance(note, dict):
        raise InputError(f"{name}: found {type(note).__name__}; expected a note of DVC; restore it")
    return note


def _check_depth(name: str, content: bytes) -> None:
    depth = 0
    for event in yaml.parse(content, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MOST_DEPTH:
            raise InputError(f"{name}: nested deeper than {_MOST_DEPTH}; restore it")


def cut(text: str) -> str:
    """Return `text` as it may be shown in one line of a terminal."""
    shown = "".join(char if char.isprintable() else "?" for char in text)
    return shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"
