"""One setting written into params.yaml on a user's behalf."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import yaml

from tasks.core.settings.params import Params, load_params
from tasks.core.settings.yaml_edit import with_value
from tasks.core.settings.yaml_file import SETTINGS, load_yaml, named, parse_yaml
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import write_text


def write_setting(path: Path, place: tuple[str, ...], value: Any) -> Params:
    """Set the value at `place` in params.yaml and return what it holds now.

    Comments and all other values stay as they are. InputError where the file is written in a way
    that this cannot keep, is a link or may not be written; then nothing is changed.
    """
    load_params(path)
    if path.is_symlink():  # a file in its place would part it from where the link leads
        raise _by_hand(path, "a link", "a file of the workspace's own", place, value)
    if not path.stat().st_mode & stat.S_IWUSR:
        raise _by_hand(path, "it read-only", "one that may be written", place, value)
    text, wanted = path.read_bytes().decode("utf-8"), load_yaml(path) or {}
    inner = wanted
    for key in place[:-1]:
        inner[key] = inner.get(key) or {}
        inner = inner[key] if isinstance(inner[key], dict) else {}
    inner[place[-1]] = value
    try:
        changed = with_value(text, place, value)
        kept = parse_yaml(path.name, changed.encode(), SETTINGS) == wanted
    except (yaml.YAMLError, InputError):
        kept = False
    if not kept:
        found = "it written in a way that cannot be changed without loss"
        raise _by_hand(path, found, "block mappings", place, value)
    write_text(path, changed)
    return load_params(path)


def _by_hand(
    path: Path, found: str, expected: str, place: tuple[str, ...], value: Any
) -> InputError:
    shown = yaml.safe_dump(value, default_flow_style=True, width=10**6).split("\n")[0]
    return InputError(
        f"{path.name}: found {found}; expected {expected}; set {named(place)} to {shown} there,"
        " by hand"
    )
