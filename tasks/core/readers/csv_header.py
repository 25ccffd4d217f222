"""The header of a delimited file: on which line it stands, and what parts its columns."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.core.readers.columns import USUAL
from tasks.core.readers.formats import EmptyFileError, Hints, format_of
from tasks.core.readers.records import ROW_LIMIT, column_names, encodable, excerpt
from tasks.core.workspace.errors import InputError

DELIMITERS = ",;\t|"
NONE_AT_ALL = "\x1f"  # of a single column: no text has it
SAMPLE = 60  # lines that are looked at
ABOVE = 20  # lines that may stand above a header
SEPARATOR = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)


@dataclass(frozen=True)
class Header:
    """The columns' names, and what stands above the first row.

    A row may lack the unnamed columns at the end: it has `least` cells or more. `lines` are those
    up to the end of the header.
    """

    names: list[str]
    delimiter: str
    lines: int
    least: int
    skipped: int = 0
    quoted: bool = False

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.names)


def find_header(path: Path, lines: Sequence[str], hints: Hints) -> Header:
    """Find the header among the first `lines` of `path`, below titles and comments if need be."""
    filled = [at for at, line in enumerate(lines) if line.strip("\r\n")]
    if not filled:
        raise EmptyFileError(
            f"{path}: found no line; expected a header with column names and rows below it;"
            " fill the file or leave it out"
        )
    _check(path, lines[filled[0]])
    told = SEPARATOR.fullmatch(lines[filled[0]].strip("\r\n"))
    given = hints.delimiter or (told[1] if told else None)
    filled = filled[1:] if told and len(filled) > 1 else filled
    order = given or (DELIMITERS if format_of(path).suffix != ".tsv" else "\t,;|")
    if hints.header == 0:
        return _headless(path, [lines[at] for at in filled], order)
    names = USUAL | {name.lower() for name in hints.columns}
    at = _told(path, lines, hints.header) if hints.header else _place(lines, filled, order, names)
    _check(path, lines[at])
    delimiter = _delimiter([lines[n] for n in filled if n >= at], order, names)
    cells, end = _cells(path, lines[at:], delimiter)
    if _has_row_names([lines[n] for n in filled if n >= at + end], cells, lines[at], delimiter):
        cells = ["", *cells]
    delimiter = NONE_AT_ALL if len(cells) == 1 and not given else delimiter
    named = [number for number, cell in enumerate(cells, 1) if cell.strip()]
    return Header(
        names=_plain(column_names(cells)),
        delimiter=delimiter,
        lines=at + end,
        least=max(named, default=len(cells)),
        skipped=sum(number < at for number in filled),
        quoted='"' in lines[at],
    )


def _check(path: Path, line: str) -> None:
    if len(line) > ROW_LIMIT or "\0" in line or not encodable(line):
        raise InputError(
            f"{path}: found a header that is not UTF-8 text ({excerpt(line[:40])!r}); expected"
            " column names; save the file as UTF-8, or name its encoding in params.yaml:"
            " ingest.encoding"
        )


def _told(path: Path, lines: Sequence[str], number: int) -> int:
    if number > len(lines):
        raise InputError(
            f"{path}: found {len(lines)} lines; expected the header on line {number}, which"
            " params.yaml: ingest.header names; correct the option or the file"
        )
    return number - 1


def _headless(path: Path, lines: Sequence[str], order: str) -> Header:
    delimiter = _delimiter(lines, order, frozenset())
    cells, _ = _cells(path, lines, delimiter)
    names = [f"column_{number}" for number in range(1, len(cells) + 1)]
    return Header(names, delimiter, 0, len(cells))


def _has_row_names(below: Sequence[str], cells: Sequence[str], header: str, mark: str) -> bool:
    """Tell a table of R, whose rows begin with a name that its header has no cell for."""
    rows = [_split(line, mark) for line in below]
    begun = all(line.startswith('"') for line in (header, *below))
    return begun and bool(rows) and {len(row) for row in rows} == {len(cells) + 1}


def _plain(names: list[str]) -> list[str]:
    """Return the names without the comment mark that some tools put before the first."""
    first = names[0].lstrip("#").strip()
    return [first, *names[1:]] if first and first not in names else names


def _place(lines: Sequence[str], filled: Sequence[int], order: str, names: frozenset[str]) -> int:
    """Return the line of the header: the first, unless a later one is one and it is none."""
    first, near = filled[0], filled[:ABOVE]
    if _known(lines[first], order, names):
        return first
    for at in near[1:]:
        known, wide = _known(lines[at], order, names), _full(lines[at], order)
        above = [lines[each] for each in near if each < at]
        if known > 1 or (known and all(_comment(e) or _full(e, order) < wide for e in above)):
            return at
    bare = next((at for at in near if not _comment(lines[at])), first)
    below = [lines[at] for at in filled if at > bare][:6]
    widths = {each: {len(_split(line, each)) for line in below} for each in order}
    even = any(len(found) == 1 and min(found) > 1 for found in widths.values())
    if len(below) > 1 and even and _full(lines[bare], order) == 1:
        return next(at for at in filled if at > bare)
    return bare


def _comment(line: str) -> bool:
    return line.startswith("#")


def _full(line: str, order: str) -> int:
    """Return how many cells of a line hold something, by the delimiter that gives most."""
    return max(sum(bool(cell.strip()) for cell in _split(line, each)) for each in order)


def _known(line: str, order: str, names: frozenset[str]) -> int:
    return max(_known_by(line, each, names) for each in order)


def _known_by(line: str, delimiter: str, names: frozenset[str]) -> int:
    return sum(
        cell.strip().lstrip("#").strip().lower() in names for cell in _split(line, delimiter)
    )


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return [line]


def _delimiter(lines: Sequence[str], order: str, names: frozenset[str]) -> str:
    """Choose by known names in the header, then by rows as wide as it, then by its width."""
    header, below = lines[0], lines[1:ABOVE]

    def evidence(delimiter: str) -> tuple[int, bool, int]:
        width = len(_split(header, delimiter))
        even = sum(len(_split(line, delimiter)) == width for line in below)
        return _known_by(header, delimiter, names), 2 * even >= len(below), width

    return max(order, key=evidence)


def _cells(path: Path, lines: Sequence[str], delimiter: str) -> tuple[list[str], int]:
    """Return the cells of the header, and how many lines it takes."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        return next(reader), reader.line_num
    except csv.Error as error:
        header = excerpt(lines[0][:40])
        raise InputError(
            f"{path}: found a header that cannot be split ({header!r}: {error});"
            " expected column names on one line; correct it"
        ) from error
