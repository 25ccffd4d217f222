"""What quotes mean in a delimited file: marks around a field, or a part of the text."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tasks.core.readers.records import BLOCK_LINES, ROW_LIMIT, TOO_LONG, Lines

QUOTED, ESCAPED, NONE = "quoted", "escaped", "none"
QUOTE = '"'
ESCAPE = re.compile(r"\\([\\\"])")
UNBALANCED = "unbalanced quote?"
SURE = 10  # fields that need their quotes speak louder than lines that are lost by them
SHAPES = 8  # shapes of a first cell, such as 'a0' of 'm0042', that still say what an id is like


@dataclass(frozen=True)
class Style:
    """How the rows of a CSV file are quoted and parted."""

    delimiter: str
    quoting: str = QUOTED

    def rows(self, lines: Iterable[str]) -> Any:
        """Return a csv reader of `lines`."""
        if self.quoting == NONE:
            return csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE)
        if self.quoting == ESCAPED:
            lines = (ESCAPE.sub(_doubled, line) for line in lines)
        return csv.reader(lines, delimiter=self.delimiter, strict=True)


def _doubled(escape: re.Match[str]) -> str:
    return '""' if escape[1] == QUOTE else "\\"


@dataclass
class Stretch:
    """Rows of consecutive lines, each with the line that it ends at; or one with a `fault`."""

    number: int  # of the line before
    lines: list[str]
    rows: list[list[str]] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    fault: str = ""

    def each(self) -> Iterator[tuple[int, list[str], list[str]]]:
        """Return for each row its first line's number, its lines and its cells."""
        for start, end, row in zip([0, *self.ends[:-1]], self.ends, self.rows, strict=True):
            yield self.number + start + 1, self.lines[start:end], row


def stretches(lines: Lines, style: Style, most: int = BLOCK_LINES) -> Iterator[Stretch]:
    """Read rows to the end of `lines`, many at once where nothing is wrong.

    After a quote that nothing closes, its line is a fault and reading goes on at the next line.
    """
    while ahead := lines.look(most):
        reader = style.rows(ahead)
        found, whole = Stretch(lines.number, ahead), True
        try:
            for row in reader:
                found.rows.append(row)
                found.ends.append(reader.line_num)
        except csv.Error:
            whole = False
        if found.ends:
            found.lines = ahead[: found.ends[-1]]
            yield found
            lines.take(found.ends[-1])
        if not whole:
            yield _one(lines, style)


def _one(lines: Lines, style: Style) -> Stretch:
    """Read the row that could not be read from the lines at hand: it is longer, or broken."""
    lines.start()
    number = lines.number
    try:
        row = next(style.rows(lines))
    except (csv.Error, StopIteration):
        taken = list(lines.taken)
        if max(map(len, taken)) > ROW_LIMIT:
            return Stretch(number, taken, fault=TOO_LONG)
        lines.give_back()
        return Stretch(number, taken, fault=UNBALANCED)
    taken = list(lines.taken)
    return Stretch(number, taken, [row], [len(taken)])


@dataclass
class Evidence:
    """What speaks for and against quotes as marks, counted over a whole file.

    lost: lines that such a reading rejects, and quotes as text do not. swallowed: lines that it
    takes into a field although each would be a row.
    needed: rows that only such a reading gives, or that double a quote as such a writer does.
    wrapped: rows with a field in quotes. rows: all of them.
    """

    lost: int = 0
    swallowed: int = 0
    needed: int = 0
    wrapped: int = 0
    rows: int = 0

    @property
    def losses(self) -> int:
        """The number of lines lost within quotes, where quotes are taken as marks."""
        return self.lost + self.swallowed


class _Shapes:
    """What the first cells of rows look like: digits are 0, letters are a."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def learn(self, line: str, delimiter: str) -> None:
        """Take the first cell of a row into account."""
        if len(self._known) <= SHAPES:
            self._known.add(_shape(line, delimiter))

    @property
    def telling(self) -> bool:
        """Whether first cells look like ids: they have digits, in few ways."""
        return len(self._known) <= SHAPES and all("0" in shape for shape in self._known)

    def fit(self, lines: Sequence[str], delimiter: str) -> bool:
        """Say whether `lines` begin like the ids of rows."""
        return self.telling and {_shape(line, delimiter) for line in lines} <= self._known


def _shape(line: str, delimiter: str) -> str:
    cell = line.partition(delimiter)[0][:64].strip(' "\r\n')
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "0", cell))


def weigh(lines: Lines, style: Style, width: int, *, losses: bool = False) -> Evidence:
    """Count what speaks for quotes as marks in `lines`, which follow a header of `width` columns.

    Lines inside a quoted field are its own, as a rule; they are rows where each of them parts
    into `width` cells and begins like an id. Where ids look like nothing, tabs are enough: prose
    has commas by chance, but no tabs. losses: count `lost` and `swallowed` alone, which is faster.
    """
    found, shapes = Evidence(), _Shapes()
    for stretch in stretches(lines, style):
        if stretch.fault:
            found.lost += stretch.fault == UNBALANCED
            continue
        found.rows += len(stretch.rows)
        single = len(stretch.rows) == len(stretch.lines)
        if single and losses and set(map(len, stretch.rows)) == {width}:
            shapes.learn(stretch.lines[0], style.delimiter)
            continue
        for _, own, row in stretch.each():
            if row:
                _weigh(own, row, style, width, shapes, found)
    return found


def _weigh(
    own: list[str], row: list[str], style: Style, width: int, shapes: _Shapes, found: Evidence
) -> None:
    even = all(line.count(style.delimiter) == width - 1 for line in own)
    shapes.learn(own[0], style.delimiter)
    if len(own) > 1:
        alike = shapes.fit(own[1:], style.delimiter)
        prose = style.delimiter == "\t" and not shapes.telling
        if even and width > 1 and len(row) == width and (alike or prose):
            found.swallowed += len(own)
        else:
            found.needed += not even
        return
    if QUOTE not in own[0]:
        return
    found.lost += even and len(row) != width
    wrapped = own[0].startswith(QUOTE) or style.delimiter + QUOTE in own[0]
    if wrapped and len(row) == width:
        found.wrapped += 1
        found.needed += not even or any(QUOTE in cell for cell in row)


def decide(
    quoted: Evidence, escaped: Evidence | None, delimiter: str, *, header: bool
) -> tuple[str, str]:
    """Return what quotes mean, and what is to be said of it.

    header: whether the header has quotes.
    """
    best, found = QUOTED, quoted
    if escaped is not None and escaped.losses < quoted.losses:
        best, found = ESCAPED, escaped
    against = SURE * found.needed + (0 if delimiter == "\t" else found.wrapped)
    if not header and found.losses > against and 2 * found.wrapped <= found.rows:
        return NONE, (
            "quotes are read as text; lines that they would lose as marks around fields:"
            f" {found.losses:,} (if they are marks, set ingest.quoting: quoted)"
        )
    if best == ESCAPED:
        return best, "quotes inside fields are read as escaped by a backslash"
    if found.swallowed:
        return best, (
            "quotes are read as marks around fields, though lines between them look like rows:"
            f" {found.swallowed:,} (if quotes are text, set ingest.quoting: none)"
        )
    return best, ""
