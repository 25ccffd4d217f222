"""Which label files there are, and the instruction that each one registers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from tasks.core.errors import InputError
from tasks.core.formats import Format, known_format
from tasks.core.paths import check_name

KINDS = ("delimited", "json", "parquet")
ACCEPTED = ".csv, .tsv, .jsonl or .ndjson (each also with .gz or .zst), or .parquet"
IGNORED = (".card.json", ".tmp", "~", ".dvc")


class LabelFiles(dict[str, Path]):
    """The label file of each instruction.

    `errors` says what cannot be used: by instruction where its name is known, else by file name.
    """

    def __init__(self) -> None:
        super().__init__()
        self.errors: dict[str, InputError] = {}


def label_files(folder: Path) -> LabelFiles:
    """List the label files in `folder`, by instruction; a missing folder has none.

    Hidden files, cards, temporary files and DVC's notes are passed over; any other file that is
    no `<instruction>.<format>` is in `errors`.
    """
    found = LabelFiles()
    candidates: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.startswith(".") or path.name.endswith(IGNORED) or _is_plain_folder(path):
            continue
        try:
            _check_readable(path)
            candidates.setdefault(_instruction(path), []).append(path)
        except InputError as error:
            found.errors[path.name] = error
    for name, paths in candidates.items():
        if len(paths) == 1:
            found[name] = paths[0]
        else:
            found.errors[name] = _ambiguous(folder, name, paths)
    return found


def instruction_of(path: Path) -> str | None:
    """Return the instruction that a label file at `path` registers; None if it registers none."""
    if path.name.startswith(".") or path.name.endswith(IGNORED):
        return None
    try:
        return _instruction(path)
    except InputError:
        return None


def _is_plain_folder(path: Path) -> bool:
    return path.is_dir() and not path.suffix


def _check_readable(path: Path) -> None:
    if not path.is_file():
        found = "a folder" if path.is_dir() else "a link to nothing"
        raise InputError(f"{path}: found {found}; expected a label file; move it out")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: not readable; expected a label file; correct its permissions")


def _instruction(path: Path) -> str:
    form = label_format(path)
    extensions = 2 if form.compression else 1
    name = path.name
    for suffix in reversed(path.suffixes[-extensions:]):
        name = name.removesuffix(suffix)
    try:
        return check_name(name)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def label_format(path: Path) -> Format:
    form = known_format(path)
    if form is None or form.kind not in KINDS:
        raise InputError(
            f"{path}: found a file of format '{path.suffix or 'none'}'; expected labels as"
            f" {ACCEPTED}; convert it or move it out of the folder"
        )
    return form


def _ambiguous(folder: Path, name: str, paths: Sequence[Path]) -> InputError:
    names = ", ".join(path.name for path in paths)
    return InputError(
        f"{folder}: found {len(paths)} label files for instruction '{name}' ({names}); expected"
        " one; remove or rename the others"
    )
