"""CSV and its relatives, read row by row whatever is wrong with some of them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tasks.core.errors import InputError
from tasks.core.formats import format_of, open_text, reading
from tasks.core.records import (
    BLOCK_LINES,
    INVALID,
    ROW_LIMIT,
    TOO_LONG,
    Batch,
    Block,
    Cell,
    Lines,
    batched,
    column_names,
    encodable,
    excerpt,
)

DELIMITERS = ",;\t|"
UNBALANCED = "unbalanced quote?"


def read_delimited(path: Path, rows: int) -> Iterator[Batch]:
    """Read CSV: a header, quotes doubled inside quotes, the delimiter that splits the header.

    Empty lines are no rows. After a quote that nothing closes, its line is rejected and reading
    goes on at the next line, so that one lost quote costs one row.
    """
    csv.field_size_limit(max(csv.field_size_limit(), ROW_LIMIT))
    with reading(path), open_text(path) as handle:
        lines = Lines(handle, newline="")
        names, delimiter = _header(path, lines)

        def columns(values: list[Any]) -> dict[str, list[Cell]]:
            cells = zip(*values, strict=True) if values else ((),) * len(names)
            return {name: list(column) for name, column in zip(names, cells, strict=True)}

        blocks = _delimited(lines, delimiter, len(names), min(rows, BLOCK_LINES))
        yield from batched(path, blocks, rows, columns)


def _delimited(lines: Lines, delimiter: str, width: int, most: int) -> Iterator[Block]:
    while ahead := lines.look(most):
        reader = csv.reader(ahead, delimiter=delimiter, strict=True)
        values: list[list[str]] = []
        ends: list[int] = []
        whole = True
        try:
            for row in reader:
                values.append(row)
                ends.append(reader.line_num)
        except csv.Error:
            whole = False
        if ends:
            yield _parsed(ahead, values, ends, lines.number, width)
            lines.take(ends[-1])
        if not whole:
            yield _one_record(lines, delimiter, width)


def _parsed(
    ahead: list[str], values: list[list[str]], ends: list[int], number: int, width: int
) -> Block:
    """Check rows that end at the lines `ends` of `ahead`, all at once where nothing is wrong."""
    starts = [0, *ends[:-1]]
    used = ahead[: ends[-1]]
    size = sum(map(len, used))
    if set(map(len, values)) == {width} and size <= ROW_LIMIT and encodable("".join(used)):
        return Block([number + start + 1 for start in starts], values, size=size)
    block = Block()
    for start, end, row in zip(starts, ends, values, strict=True):
        if row:
            raw = "".join(ahead[start:end])
            block.add(number + start + 1, row, raw, _row_fault(row, width, raw))
    return block


def _one_record(lines: Lines, delimiter: str, width: int) -> Block:
    """Read the record that could not be read from the lines at hand: it is longer, or broken."""
    lines.start()
    position, block = lines.number + 1, Block()
    try:
        row = next(csv.reader(lines, delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        raw = "".join(lines.taken)
        if max(map(len, lines.taken)) > ROW_LIMIT:
            block.add(position, None, raw, TOO_LONG)
        else:
            lines.give_back()
            block.add(position, None, raw, UNBALANCED)
        return block
    raw = "".join(lines.taken)
    block.add(position, row, raw, _row_fault(row, width, raw))
    return block


def _row_fault(row: list[str], width: int, raw: str) -> str:
    if len(raw) > ROW_LIMIT:
        return TOO_LONG
    if len(row) != width:
        return "too few columns" if len(row) < width else "too many columns"
    return "" if encodable(raw) else INVALID


def _header(path: Path, lines: Lines) -> tuple[list[str], str]:
    first = next((line for line in lines if line.strip("\r\n")), None)
    if first is None:
        raise InputError(
            f"{path}: found no line; expected a header with column names and rows below it;"
            " fill the file or leave it out"
        )
    if len(first) > ROW_LIMIT or "\0" in first or not encodable(first):
        raise InputError(
            f"{path}: found a header that is not UTF-8 text ({excerpt(first[:40])!r}); expected"
            " column names; save the file as UTF-8"
        )
    order = DELIMITERS if format_of(path).suffix != ".tsv" else "\t,;|"
    cells = {delimiter: _header_cells(path, first, delimiter) for delimiter in order}
    delimiter = max(cells, key=lambda each: len(cells[each]))
    return column_names(cells[delimiter]), delimiter


def _header_cells(path: Path, header: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([header], delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise InputError(
            f"{path}: found a header that cannot be split ({excerpt(header[:40])!r}: {error});"
            " expected column names on one line; correct it"
        ) from error
