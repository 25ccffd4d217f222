"""Files to bring into data/raw: checked whole before the first is copied."""

from __future__ import annotations

import dataclasses
import filecmp
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_from_bytes

from tasks.core.documents.sources import expand, shown, survey
from tasks.core.documents.text_columns import LOOKED_AT, text_columns
from tasks.core.documents.wanted import wanted
from tasks.core.readers.columns import NoTextError, Wanted
from tasks.core.readers.formats import EmptyFileError, format_of
from tasks.core.readers.read_documents import batches, is_document
from tasks.core.readers.records import encodable
from tasks.core.settings.table_sections import IngestSettings
from tasks.core.workspace.errors import InputError


@dataclass(frozen=True)
class Incoming:
    """A file and the place it shall have."""

    source: Path
    place: Path


def incoming(
    sources: Sequence[str],
    raw: Path,
    settings: IngestSettings,
    *,
    replace: bool = False,
) -> list[Incoming]:
    """Return what of `sources` is to be copied into `raw`; a folder keeps its own name there.

    Files below `raw` stay where they are. InputError if one cannot be read to its end, has no
    text column, or would take the place of another (of an older one: unless `replace`).
    """
    files = [file for source in sources for file in _of(source, raw)]
    taken: dict[Path, Path] = {}
    read_as = dataclasses.replace(wanted(settings), metadata=None)
    for file in files:
        other = taken.setdefault(file.place, file.source)
        if other != file.source:
            raise InputError(
                f"{file.source} and {other}: both would become {file.place}; rename one"
            )
        _check(file.source, read_as, alone=len(files) == 1)
        if not replace and file.place.exists() and not _same(file):
            raise InputError(
                f"{file.source}: {file.place} exists with other content; rename the new file, or"
                " repeat with --replace"
            )
    return files


def _same(file: Incoming) -> bool:
    return file.place.is_file() and filecmp.cmp(file.source, file.place, shallow=False)


def strays(sources: Sequence[str]) -> list[str]:
    """Say what in the folders and globs of `sources` is no document, and so is not brought."""
    return [f"{each}: {remark}" for each in sources for remark in survey([each], Path()).remarks()]


def _of(source: str, raw: Path) -> list[Incoming]:
    if not source.strip():
        raise InputError("ingest: found a blank source; expected a file, a folder or a glob")
    given = Path(source)
    found = []
    for path in expand([source], Path()):
        if raw.resolve() in path.resolve().parents:
            continue
        inside = Path(path.name)
        if given.is_dir():
            inside = given.resolve().name / path.relative_to(given)
        inside = (
            Path(quote_from_bytes(os.fsencode(inside), "/ ="))
            if not encodable(str(inside))
            else inside
        )
        found.append(Incoming(path.resolve(), raw / inside))
    return found


def check_columns(files: Sequence[Path], settings: IngestSettings) -> None:
    """Refuse files whose beginnings lack a column that `settings` names; InputError says which."""
    read_as = dataclasses.replace(wanted(settings), metadata=None)
    for path in files:
        if is_document(path):
            continue
        try:
            first = next(iter(batches(path, rows=LOOKED_AT, hints=read_as.hints)))
            read_as.columns(list(first.columns), shown(path), text_columns(first.columns))
        except EmptyFileError:
            continue
        except NoTextError:
            if len(files) == 1 or format_of(path).suffix != ".json":
                raise


def _check(path: Path, read_as: Wanted, *, alone: bool) -> None:
    """Read the file to its end: a broken one must be known before it is copied."""
    try:
        for number, batch in enumerate(batches(path, hints=read_as.hints)):
            if number == 0 and not is_document(path):
                read_as.columns(list(batch.columns), shown(path), text_columns(batch.columns))
    except EmptyFileError:
        if alone:
            raise
    except NoTextError:
        if alone or format_of(path).suffix != ".json":
            raise
