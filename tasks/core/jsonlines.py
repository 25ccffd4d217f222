"""JSON Lines, read line by line whatever is wrong with some of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tasks.core.formats import open_text, reading
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
    dump,
    encodable,
)

COLUMN_LIMIT = 256  # different keys of one file; more are data that became keys


def read_json(path: Path, rows: int) -> Iterator[Batch]:
    """Read JSON Lines: an object a line; nested values become JSON strings, NaN becomes null.

    Lines of white space alone are no rows.
    """
    with reading(path), open_text(path) as handle:
        blocks = _json(Lines(handle, newline="\n"), min(rows, BLOCK_LINES))
        yield from batched(path, blocks, rows, _united)


def _united(values: list[Any]) -> dict[str, list[Cell]]:
    names = dict.fromkeys(name for value in values for name in value)
    return {name: [value.get(name) for value in values] for name in names}


def _json(lines: Lines, most: int) -> Iterator[Block]:
    decode = json.JSONDecoder(parse_constant=lambda _: None).decode
    known: set[str] = set()
    while ahead := lines.look(most):
        block = Block()
        for position, line in enumerate(ahead, lines.number + 1):
            if not line.isspace():
                block.add(position, *_json_record(line, decode, known))
        lines.take(len(ahead))
        yield block


def _json_record(
    line: str, decode: Callable[[str], Any], known: set[str]
) -> tuple[dict[str, Cell] | None, str, str]:
    if len(line) > ROW_LIMIT or not encodable(line):
        return None, line, TOO_LONG if len(line) > ROW_LIMIT else INVALID
    try:
        value = decode(line)
        reason = _json_fault(value, line, known)
        cells = None if reason else {name: _cell(each) for name, each in value.items()}
    except (ValueError, RecursionError):
        return None, line, "malformed JSON"
    return cells, line, reason


def _json_fault(value: Any, line: str, known: set[str]) -> str:
    if not isinstance(value, dict):
        return "JSON that is not an object"
    if "\\u" in line and not encodable(dump(value)):
        return INVALID
    if not value.keys() <= known:
        if len(known | value.keys()) > COLUMN_LIMIT:
            return f"more than {COLUMN_LIMIT} different columns"
        known.update(value)
    return ""


def _cell(value: Any) -> Cell:
    """Return a JSON value as the text that stands for it; 17.0 becomes "17", as in Parquet."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return dump(value)
