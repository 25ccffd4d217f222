"""One setting written into params.yaml on a user's behalf."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tasks.core.settings.params import Params, load_params
from tasks.core.settings.yaml_edit import with_value
from tasks.core.settings.yaml_file import SETTINGS, load_yaml, named, parse_yaml
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import write_text


def write_setting(path: Path, place: tuple[str, ...], value: Any) -> Params:
    """Set the value at `place` in params.yaml, as `write_settings` does."""
    return write_settings(path, {place: value})


def write_settings(path: Path, changes: Mapping[tuple[str, ...], Any]) -> Params:
    """Set the values at some places of params.yaml in one write, and return what it holds now.

    Comments and all other values stay as they are. InputError where the file is written in a way
    that this cannot keep, is a link or may not be written; then nothing is changed.
    """
    load_params(path)
    if path.is_symlink():  # a file in its place would part it from where the link leads
        raise _by_hand(path, "a link", "a file of the workspace's own", changes)
    if not path.stat().st_mode & stat.S_IWUSR:
        raise _by_hand(path, "it read-only", "one that may be written", changes)
    changed, wanted = path.read_bytes().decode("utf-8"), load_yaml(path) or {}
    for place, value in changes.items():
        _put(wanted, place, value)
    try:
        for place, value in changes.items():
            changed = with_value(changed, place, value)
        kept = parse_yaml(path.name, changed.encode(), SETTINGS) == wanted
    except (yaml.YAMLError, InputError):
        kept = False
    if not kept:
        found = "it written in a way that cannot be changed without loss"
        raise _by_hand(path, found, "block mappings", changes)
    write_text(path, changed)
    return load_params(path)


def _put(inner: Any, place: tuple[str, ...], value: Any) -> None:
    for key in place[:-1]:
        inner[key] = inner.get(key) or {}
        inner = inner[key] if isinstance(inner[key], dict) else {}
    inner[place[-1]] = value


def _by_hand(
    path: Path, found: str, expected: str, changes: Mapping[tuple[str, ...], Any]
) -> InputError:
    asked = " and ".join(
        f"{named(place)} to "
        + yaml.safe_dump(value, default_flow_style=True, width=10**6).split("\n")[0]
        for place, value in changes.items()
    )
    return InputError(
        f"{path.name}: found {found}; expected {expected}; set {asked} there, by hand"
    )
