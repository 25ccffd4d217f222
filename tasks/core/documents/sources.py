"""Which files a source of documents names: strays are passed over, linked folders followed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from tasks.core.readers.columns import USUAL
from tasks.core.readers.formats import ACCEPTED, known_format
from tasks.core.readers.records import encodable
from tasks.core.workspace.errors import InputError

MARKS = "*?["
PROGRAMS = ("_delta_log", "_temporary", "__MACOSX", "__pycache__")
ABOUT_NAMES = re.compile(
    r"(readme|licen[cs]e|copying|notice|changelog|contributing)(\.[a-z]{2})?\.(md|txt)(\.gz|\.zst)?",
    re.IGNORECASE,
)
OTHER = "another format"
ABOUT = "about the files beside it"
BROKEN = "not a plain file"
PROGRAM = "the folder of a program"
LOOP = "a link to a folder around it"
HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
NAMED = 3  # files that are named of those passed over


@dataclass
class Sources:
    """The files that were named, each once, and those passed over, by reason."""

    files: list[Path] = field(default_factory=list)
    passed: dict[str, list[Path]] = field(default_factory=dict)

    def remarks(self) -> list[str]:
        """Say what was passed over, and which names are none that git and DVC can record."""
        said = [f"passed over, {why}: {_few(paths)}" for why, paths in self.passed.items()]
        odd = [path for path in self.files if not encodable(str(path))]
        if odd:
            said.append(f"names that are not UTF-8, which DVC cannot record; rename: {_few(odd)}")
        return said


def expand(sources: Sequence[str], root: Path) -> list[Path]:
    """Return the files that `sources` name (see `survey`)."""
    return survey(sources, root).files


def survey(sources: Sequence[str], root: Path) -> Sources:
    """Return the files that `sources` name, below `root` or absolute, each once.

    A folder gives its files, recursively and sorted, without the hidden ones and DVC's notes
    (`*.dvc`); so does a glob. What is no document there is passed over; InputError where nothing
    else is, or where a source itself is none.
    """
    if not sources:
        raise InputError(
            "found no source of documents; expected a file, a folder or a glob;"
            " name one in params.yaml: ingest.sources"
        )
    files: dict[Path, None] = {}
    passed: dict[Path, str] = {}
    for source in sources:
        found, strays = _survey_one(source, root)
        files.update(dict.fromkeys(found))
        passed.update(strays)
    reasons: dict[str, list[Path]] = {}
    for path, why in passed.items():
        if path not in files:
            reasons.setdefault(why, []).append(path)
    return Sources(list(files), reasons)


def _survey_one(source: str, root: Path) -> tuple[list[Path], dict[Path, str]]:
    path = root / source
    if path.is_dir():
        found = _visible(path, walk(path))
        missing = "an empty folder; expected documents in it; put some there"
    elif path.exists():
        found, missing = [path], ""
    elif any(mark in source for mark in MARKS):
        found = _matching(source, path)
        missing = "no file that matches; expected at least one; correct the pattern"
    else:
        found, missing = [], "no such file or folder; expected documents; correct the path"
    if not found:
        raise InputError(f"{source}: found {missing}, or name another source")
    named = not path.is_dir() and (path.exists() or not any(mark in path.name for mark in MARKS))
    strays = {each: why for each in found if (why := _stray(each, named))}
    if len(strays) == len(found):
        raise InputError(
            f"{source}: found {len(found)} of {len(found)} files of {OTHER} ({_few(found)});"
            f" expected {ACCEPTED}; convert them, or name another source"
        )
    return [each for each in found if each not in strays], strays


def _stray(path: Path, named: bool) -> str:
    """Return why a file is no document, or nothing; one that is named itself may be a README."""
    if not path.is_file():
        folder = LOOP if path.is_symlink() else PROGRAM
        return folder if path.is_dir() else BROKEN
    form = known_format(path)
    if form is None or path.name.startswith("~$"):
        return OTHER
    about = form.kind == "document" and ABOUT_NAMES.fullmatch(path.name)
    return ABOUT if about and not named else ""


def _few(paths: Sequence[Path]) -> str:
    names = ", ".join(shown(path.name) for path in paths[:NAMED])
    return names + (f" and {len(paths) - NAMED} more" if len(paths) > NAMED else "")


def shown(path: Path | str) -> str:
    """Return a path as text that can be written; what cannot be printed as \\xNN."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def inside(path: Path, root: Path) -> str:
    """Return a path as it is written in the corpus: relative to `root` where it is below it."""
    whole, above = path.absolute(), root.absolute()
    return shown((whole.relative_to(above) if whole.is_relative_to(above) else whole).as_posix())


def partitions(path: Path, root: Path) -> dict[str, str | None]:
    """Return the columns that the folders of `path` name, such as `lang=de` (Hive's partitions).

    Names that a text or an id may have get the prefix "partition_".
    """
    found: dict[str, str | None] = {}
    for part in inside(path.parent, root).split("/"):
        name, mark, value = part.partition("=")
        if mark and re.fullmatch(r"[^\W\d]\w*", name):
            name = f"partition_{name}" if name.lower() in USUAL else name
            found[name] = None if value == HIVE_NULL else unquote(value)
    return found


def walk(base: Path) -> Iterator[Path]:
    """Yield the files below `base`, each real folder once, linked ones after all others.

    A folder that is not entered, being a program's or a link to one around it, is itself yielded.
    """
    seen: set[str] = set()
    waiting = [base]
    while waiting:
        links: list[Path] = []
        for top in waiting:
            yield from _walk(top, seen, links)
        waiting = []
        for link in links:
            real = os.path.realpath(link)
            if Path(os.path.realpath(base)).is_relative_to(real):
                yield link
            elif real not in seen:
                waiting.append(link)


def _walk(top: Path, seen: set[str], links: list[Path]) -> Iterator[Path]:
    for folder, names, files in os.walk(top):
        real = os.path.realpath(folder)
        if real in seen:
            names.clear()
            continue
        seen.add(real)
        inside = [Path(folder, name) for name in names if not name.startswith(".")]
        links += [path for path in inside if path.is_symlink()]
        names[:] = [path.name for path in inside if path.name not in PROGRAMS]
        yield from (path for path in inside if path.name in PROGRAMS)
        yield from (Path(folder, name) for name in files)


def _matching(source: str, path: Path) -> list[Path]:
    first = next(n for n, part in enumerate(path.parts) if any(mark in part for mark in MARKS))
    base, pattern = Path(*path.parts[:first]), "/".join(path.parts[first:])
    try:
        found = _visible(base, base.glob(pattern + "/*" if pattern.endswith("**") else pattern))
    except ValueError as error:
        raise InputError(
            f"{source}: found a pattern that is none ({error}); expected '**' only as a whole"
            " folder name; correct it"
        ) from error
    return [path for path in found if not path.is_dir()]


def _visible(base: Path, paths: Iterable[Path]) -> list[Path]:
    return sorted(
        path
        for path in paths
        if not any(part.startswith(".") and part != ".." for part in path.relative_to(base).parts)
        and path.suffix != ".dvc"
    )
