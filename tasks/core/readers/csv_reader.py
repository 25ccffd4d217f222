"""CSV and its relatives, read row by row whatever is wrong with some of them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tasks.core.readers.columns import too_many
from tasks.core.readers.csv_header import SAMPLE, Header, find_header
from tasks.core.readers.csv_quoting import (
    ESCAPED,
    QUOTE,
    QUOTED,
    Evidence,
    Stretch,
    Style,
    decide,
    stretches,
    weigh,
)
from tasks.core.readers.formats import Hints, open_text, reading
from tasks.core.readers.records import (
    BLOCK_LINES,
    BLOCK_SIZE,
    INVALID,
    ROW_LIMIT,
    TOO_LONG,
    Batch,
    Block,
    Cell,
    Lines,
    batched,
    encodable,
)

BACKSLASH = '\\"'
NULL = "\\N"  # as PostgreSQL and MySQL write it
MARKS = (QUOTE, BACKSLASH, NULL)


def read_delimited(path: Path, rows: int, hints: Hints) -> Iterator[Batch]:
    """Read CSV: a header, and rows below it.

    What parts the columns and what quotes mean is found out from the whole file, where `hints`
    do not say it; a batch's `remarks` say what is unusual. Empty lines are no rows.
    """
    csv.field_size_limit(max(csv.field_size_limit(), ROW_LIMIT))
    with reading(path):
        with _lines(path, hints) as lines:
            header = find_header(path, lines.look(SAMPLE), hints)
        kept, more = too_many(header.names, hints.columns)
        marks = _marks(path, hints)
        style, remarks = _style(path, header, hints, marks)
        remarks += [more] * bool(more)
        with _lines(path, hints) as lines:
            _skip(lines, header.lines)
            blocks = _blocks(stretches(lines, style, min(rows, BLOCK_LINES)), header)
            for batch in batched(
                path, blocks, rows, lambda values: _columns(values, header.names, kept)
            ):
                if NULL in marks:
                    _without_nulls(batch)
                batch.remarks, remarks = remarks, []
                yield batch


@contextmanager
def _lines(path: Path, hints: Hints) -> Iterator[Lines]:
    with open_text(path, hints.encoding) as handle:
        yield Lines(handle, newline="")


def _skip(lines: Lines, count: int) -> None:
    while lines.number < count:
        lines.take(len(lines.look(count - lines.number)))


def _columns(values: list[Any], names: list[str], kept: list[str]) -> dict[str, list[Cell]]:
    if len(kept) < len(names):
        return {name: [row[at] for row in values] for name, at in _places(names, kept)}
    cells = zip(*values, strict=True) if values else ((),) * len(names)
    return {name: list(column) for name, column in zip(names, cells, strict=True)}


def _without_nulls(batch: Batch) -> None:
    for cells in batch.columns.values():
        cells[:] = [None if cell == NULL else cell for cell in cells]


def _places(names: list[str], kept: list[str]) -> Iterator[tuple[str, int]]:
    wanted = set(kept)
    return ((name, at) for at, name in enumerate(names) if name in wanted)


def _style(path: Path, header: Header, hints: Hints, marks: set[str]) -> tuple[Style, list[str]]:
    """Decide what quotes mean, after a look at every line that has one."""
    remarks = []
    if header.skipped:
        remarks.append(f"lines above the header that are passed over: {header.skipped}")
    if hints.quoting:
        return Style(header.delimiter, hints.quoting), remarks
    if QUOTE not in marks:
        return Style(header.delimiter), remarks

    def weighed(quoting: str, losses: bool = False) -> Evidence:
        with _lines(path, hints) as lines:
            _skip(lines, header.lines)
            return weigh(lines, Style(header.delimiter, quoting), header.width, losses=losses)

    if not weighed(QUOTED, losses=True).losses:
        return Style(header.delimiter), remarks
    escaped = weighed(ESCAPED) if BACKSLASH in marks else None
    quoting, remark = decide(weighed(QUOTED), escaped, header.delimiter, header=header.quoted)
    return Style(header.delimiter, quoting), remarks + [remark] * bool(remark)


def _marks(path: Path, hints: Hints) -> set[str]:
    """Return which of a quote, and a quote and an N behind a backslash, are in the file."""
    found: set[str] = set()
    with open_text(path, hints.encoding) as handle:
        while len(found) < len(MARKS) and (text := handle.read(BLOCK_SIZE)):
            text += handle.read(1) if text.endswith("\\") else ""
            found.update(mark for mark in MARKS if mark in text)
    return found


def _blocks(found: Iterator[Stretch], header: Header) -> Iterator[Block]:
    for stretch in found:
        if stretch.fault:
            block = Block()
            block.add(stretch.number + 1, None, "".join(stretch.lines), stretch.fault)
            yield block
        else:
            yield _checked(stretch, header)


def _checked(stretch: Stretch, header: Header) -> Block:
    """Check rows, all at once where nothing is wrong."""
    size = sum(map(len, stretch.lines))
    even = set(map(len, stretch.rows)) == {header.width}
    if even and size <= ROW_LIMIT and encodable("".join(stretch.lines)):
        starts = [0, *stretch.ends[:-1]]
        return Block([stretch.number + start + 1 for start in starts], stretch.rows, size=size)
    block = Block()
    for position, lines, row in stretch.each():
        if row:
            raw, fitting = "".join(lines), _fitted(row, header)
            block.add(position, fitting, raw, _fault(fitting, header.width, raw))
    return block


def _fitted(row: list[str], header: Header) -> list[str]:
    """Return the row without empty cells beyond the header, and with those that may lack."""
    if len(row) > header.width and not any(row[header.width :]):
        return row[: header.width]
    if header.least <= len(row) < header.width:
        return row + [""] * (header.width - len(row))
    return row


def _fault(row: list[str], width: int, raw: str) -> str:
    if len(raw) > ROW_LIMIT:
        return TOO_LONG
    if len(row) != width:
        return "too few columns" if len(row) < width else "too many columns"
    return "" if encodable(raw) else INVALID
