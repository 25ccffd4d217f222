"""Which label files there are, and the instruction that each one registers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.core.readers.formats import Format, known_format
from tasks.core.store.layout import versions
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import check_regular, digest
from tasks.core.workspace.instruction_name import check_name

KINDS = ("delimited", "json", "records", "parquet")
ACCEPTED = ".csv, .tsv, .jsonl or .ndjson (each also with .gz or .zst), .json or .parquet"
JSON = Format("records", ".json")  # a list of objects, as annotation tools export it
CLASSES = Format("classes", ".classes.txt")  # names of labels, a line each: see `taxonomy`
IGNORED = (".tmp", "~", ".dvc", "Thumbs.db", "desktop.ini", "_SUCCESS")
BESIDE = (".card.json", ".taxonomy.txt")  # what `refract label` writes beside a label file


@dataclass(frozen=True)
class Part:
    """One file of labels, and the format that its name promises.

    column: of the corpus, whose table `path` is then: a column of the documents that holds labels.
    """

    path: Path
    format: Format
    column: str | None = None

    @property
    def changing(self) -> Path:
        """What is another whenever the labels are: the file, or the table's folder of versions."""
        return self.path if self.column is None else versions(self.path)


@dataclass(frozen=True)
class OwnColumns:
    """What the documents call their ids and texts, where params.yaml says so."""

    id: str | None = None
    text: str | None = None


NO_NAMES = OwnColumns()


@dataclass(frozen=True)
class LabelFile:
    """The files of one instruction's labels, as they were when their folder was listed.

    path: a file, or a folder that stands for all files in it and those of its name beside it.
    parts: these files, in the order in which they are read; of a file it alone. own: names of
    columns by which ids and texts are known beside the usual ones.
    """

    instruction: str
    path: Path
    parts: tuple[Part, ...]
    own: OwnColumns = NO_NAMES

    @property
    def shown(self) -> str:
        """What messages call it."""
        columns = [part.column for part in self.parts if part.column]
        if len(columns) == len(self.parts) and columns:
            return f"column '{columns[0]}' of the documents"
        return str(self.path)

    @property
    def paths(self) -> list[Path]:
        """The paths of the files that hold the labels, and their names."""
        return [part.path for part in self.parts]

    @property
    def labelled(self) -> tuple[Part, ...]:
        """The parts that say which text has which label."""
        return tuple(part for part in self.parts if part.format != CLASSES)

    @property
    def classes(self) -> Path | None:
        """The file that names the labels, whether any text has them or not."""
        return next((part.path for part in self.parts if part.format == CLASSES), None)


class LabelFiles(dict[str, LabelFile]):
    """The label files of a folder by the name of their instruction.

    `errors` says what cannot be used: by instruction where its name is known, else by file name.
    """

    def __init__(self) -> None:
        super().__init__()
        self.errors: dict[str, InputError] = {}


def label_files(folder: Path) -> LabelFiles:
    """List the label files in `folder`, by instruction; a missing folder has none.

    A folder within it registers an instruction, too, if it holds a label file: it stands for all
    of these and for those of its name beside it. So does a file that names labels alone. Hidden
    files, cards, temporary files and DVC's notes are passed over; any other file that is no
    `<instruction>.<format>` is in `errors`.
    """
    found = LabelFiles()
    candidates: dict[str, list[Path]] = {}
    for path in _listed(folder):
        try:
            _check_name_in_utf8(path)
            if _is_plain_folder(path):
                if _inside(path):
                    found[check_name(path.name)] = label_file(path, path.name)
                continue
            _check_readable(path)
            candidates.setdefault(_instruction(path), []).append(path)
        except InputError as error:
            found.errors[_shown(path.name)] = error
    for name, paths in candidates.items():
        if name in found or name in found.errors:
            continue
        holding = [path for path in paths if label_format(path) != CLASSES]
        if len(holding) > 1:
            found.errors[name] = _ambiguous(folder, name, holding)
            continue
        own = tuple(Part(path, label_format(path)) for path in paths)
        found[name] = LabelFile(name, (holding or paths)[0], own)
    return found


def label_file(path: Path, instruction: str) -> LabelFile:
    """Return the label file at `path`, wherever it lies; InputError where its format is unknown."""
    own = [path]
    if path.is_dir():
        beside = [each for each in _listed(path.parent) if each.is_file()]
        own = [each for each in beside if instruction_of(each, path.parent) == path.name]
        own += _inside(path)
    return LabelFile(instruction, path, tuple(Part(each, label_format(each)) for each in own))


def fingerprint(hashes: Sequence[str]) -> str:
    """Return a fingerprint of a label file from the hashes of its parts, in their order."""
    return hashes[0] if len(hashes) == 1 else digest(list(hashes))


def _listed(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    if not os.access(folder, os.R_OK | os.X_OK):
        raise InputError(
            f"{folder}: may not be listed; expected a folder of label files; correct its"
            " permissions"
        )
    there = sorted(folder.iterdir())
    return [path for path in there if not _passed(path)]


def _passed(path: Path) -> bool:
    return path.name.startswith(".") or path.name.endswith((*IGNORED, *BESIDE))


def _inside(folder: Path) -> list[Path]:
    """Return the label files in the folder of one instruction, which may have any name."""
    inside = []
    for path in _listed(folder):
        if _is_plain_folder(path):
            if _listed(path):
                raise InputError(
                    f"{path}: found a folder within that of an instruction; expected label files;"
                    " move its files up"
                )
            continue
        inside.append(path)
    for path in inside:
        _check_name_in_utf8(path)
        _check_readable(path)
        if label_format(path) == CLASSES:
            raise InputError(
                f"{path}: found names of labels in the folder of an instruction; expected label"
                f" files; move it up, as {folder.name}{CLASSES.suffix}"
            )
    return inside


def instruction_of(path: Path, folder: Path) -> str | None:
    """Return the instruction that a label file at `path`, below `folder`, belongs to, or None.

    A folder with files in it belongs to one, too: of a new one no other change may be told.
    """
    if _passed(path):
        return None
    try:
        if path.is_dir():
            return check_name(path.name) if path.parent == folder and _listed(path) else None
        if path.parent != folder:
            return check_name(path.parent.name) if path.parent.parent == folder else None
        return _instruction(path)
    except (InputError, PermissionError):
        return None


def _is_plain_folder(path: Path) -> bool:
    return path.is_dir() and not path.suffix


def _check_name_in_utf8(path: Path) -> None:
    if _shown(path.name) != path.name:
        raise InputError(f"{_shown(str(path))}: its name is not UTF-8; expected that; rename it")


def _shown(name: str) -> str:
    return name.encode("utf-8", "replace").decode()


def _check_readable(path: Path) -> None:
    if not path.is_file():
        check_regular(path)
        found = "a folder" if path.is_dir() else "a link to nothing"
        raise InputError(f"{path}: found {found}; expected a label file; move it out")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: not readable; expected a label file; correct its permissions")


def _instruction(path: Path) -> str:
    form = label_format(path)
    extensions = 2 if form.compression or form == CLASSES else 1
    name = path.name
    for suffix in reversed(path.suffixes[-extensions:]):
        name = name.removesuffix(suffix)
    try:
        return check_name(name)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def label_format(path: Path) -> Format:
    """Return the format of a label file by its name; InputError where labels have none such."""
    if path.name.lower().endswith(CLASSES.suffix):
        return CLASSES
    form = JSON if path.suffix.lower() == JSON.suffix else known_format(path)
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
        f" one; remove or rename the others, or put them into a folder {name} to use them together"
    )
