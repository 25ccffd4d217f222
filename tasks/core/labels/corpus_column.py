"""A column of the documents as a label file: its rows are the texts that have a value there."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tasks.core.labels.files import LabelFile, Part
from tasks.core.readers.formats import Format
from tasks.core.text.discretion import shown
from tasks.core.workspace.errors import InputError

CORPUS = Format("table", ".lance")
COPY = "column of the documents.csv"  # the name of a copy, beside label files of any other name


def column_part(
    corpus: Path, column: str, kept: Mapping[str, str], renamed: Mapping[str, str]
) -> Part:
    """Return the part of a label file that `column` of the documents is, whatever its case.

    kept: the corpus's metadata columns; renamed: their names in the documents, to those here.
    InputError where the corpus has no such column, or several that differ in capitals alone.
    """
    named = {name: name for name in kept} | dict(renamed)
    alike = [name for name in named if name.lower() == column.lower()]
    if column not in named and len(alike) > 1:
        raise InputError(
            f"params.yaml: found {len(alike)} columns that {shown(column)} may be; expected"
            f" {' or '.join(map(repr, alike))}; write it with its capitals"
        )
    found = named.get(column if column in named else next(iter(alike), ""))
    if found is None:
        known = ", ".join(f"'{name}'" for name in list(dict.fromkeys(named))[:20])
        raise InputError(
            f"params.yaml: found no column {shown(column)} in the corpus; expected one of"
            f" {known or 'none: the documents have no others'}; correct the instruction's column,"
            " or keep it by ingest.metadata and run 'refract ingest'"
        )
    return Part(corpus, CORPUS, found)


def with_column(file: LabelFile | None, part: Part, instruction: str) -> LabelFile:
    """Return the label file that a column is, together with the files that lie there already."""
    if file is None:
        return LabelFile(instruction, part.path, (part,))
    parts = [*file.parts, part]
    parts.sort(key=lambda each: (len(place(file, each).parts), place(file, each)))
    return replace(file, parts=tuple(parts))


def place(file: LabelFile, part: Part) -> Path:
    """Return where a copy of one part lies in a folder of copies, to be listed in this order."""
    if part.column is not None:
        return Path(file.instruction) / COPY
    return part.path.relative_to(file.path.parent)


def content(part: Part) -> bytes:
    """Return the bytes of a label file; of a column its labels as CSV, in the order of the ids."""
    if part.column is None:
        return part.path.read_bytes()
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("id", "label"))
    writer.writerows((key, label) for _, key, label in column_rows(part))
    return out.getvalue().encode()


def column_rows(part: Part) -> list[tuple[int, str, str]]:
    """Return place, id and value of each text that has one, in the order of the ids."""
    from tasks.core.readers.arrow_cells import cells
    from tasks.core.store import tables

    if part.column not in tables.columns(part.path):
        raise InputError(
            f"{part.path}: found no column {shown(str(part.column))}, which it had; expected"
            " the corpus as it was noted; run 'refract ingest'"
        )
    found: list[tuple[str, str]] = []
    for batch in tables.batches(part.path, ["id", part.column]):
        ids, values = (cells(batch.column(name))[0] for name in ("id", part.column))
        rows = zip(ids, values, strict=True)
        found += [(key, own) for key, own in rows if key and own and own.strip()]
    return [(at, key, own) for at, (key, own) in enumerate(sorted(found), 1)]
