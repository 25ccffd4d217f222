"""JSON Lines, read line by line whatever is wrong with some of them; and JSON of other shapes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tasks.core.readers.columns import COLUMN_LIMIT, USUAL, more_columns
from tasks.core.readers.formats import Hints, open_text, reading
from tasks.core.readers.json_reader import is_lines, objects
from tasks.core.readers.records import (
    BLOCK_LINES,
    INVALID,
    ROW_LIMIT,
    TOO_LONG,
    Batch,
    Block,
    Cell,
    Lines,
    batched,
    cell_of,
    dump,
    encodable,
)

TABLE = "table written by columns (pandas: orient='records' writes rows)"


def read_json(path: Path, rows: int, hints: Hints) -> Iterator[Batch]:
    """Read objects: one a line, or in one array, or one after the other over several lines.

    Nested values become JSON strings, NaN becomes null. Lines of white space alone are no rows.
    Of more than 256 different keys the first are kept, and those that name texts and ids.
    """
    keys = _Keys(hints.columns)
    with reading(path):
        with open_text(path, hints.encoding) as handle:
            lines = is_lines(handle)
        with open_text(path, hints.encoding) as handle:
            most = min(rows, BLOCK_LINES)
            source = Lines(handle, newline="\n")
            blocks = _lines(source, most, keys) if lines else _values(handle, path, most, keys)
            for batch in batched(path, blocks, rows, _united):
                batch.remarks = keys.remarks()
                yield batch


def _united(values: list[Any]) -> dict[str, list[Cell]]:
    names = dict.fromkeys(name for value in values for name in value)
    return {name: [value.get(name) for value in values] for name in names}


class _Keys:
    """Which keys become columns."""

    def __init__(self, wanted: tuple[str, ...]) -> None:
        self._known: set[str] = set()
        self._always = USUAL | {name.lower() for name in wanted}
        self._new = False
        self._said = False

    def kept(self, value: dict[str, object]) -> dict[str, object]:
        """Return `value` without the keys that are too many."""
        if value.keys() <= self._known:
            return value
        for name in value:
            if len(self._known) < COLUMN_LIMIT or name.lower() in self._always:
                self._known.add(name)
        kept = {name: each for name, each in value.items() if name in self._known}
        self._new = self._new or len(kept) < len(value)
        return kept

    def remarks(self) -> list[str]:
        """Say once that keys were left out."""
        if not self._new or self._said:
            return []
        self._said = True
        return [more_columns(f"more than {COLUMN_LIMIT} different keys")]


def _lines(lines: Lines, most: int, keys: _Keys) -> Iterator[Block]:
    decode = json.JSONDecoder(parse_constant=lambda _: None).decode
    while ahead := lines.look(most):
        block = Block()
        for position, line in enumerate(ahead, lines.number + 1):
            if not line.isspace():
                block.add(position, *_line(line, decode, keys))
        lines.take(len(ahead))
        yield block


def _line(
    line: str, decode: Callable[[str], Any], keys: _Keys
) -> tuple[dict[str, Cell] | None, str, str]:
    if len(line) > ROW_LIMIT or not encodable(line):
        return None, line, TOO_LONG if len(line) > ROW_LIMIT else INVALID
    try:
        value = decode(line)
        cells, reason = _record(value, line, keys)
    except (ValueError, RecursionError):
        return None, line, "malformed JSON"
    return cells, line, reason


def _values(handle: Any, path: Path, most: int, keys: _Keys) -> Iterator[Block]:
    block = Block()
    for position, (value, raw) in enumerate(objects(handle, path), 1):
        cells, reason = _record(value, raw, keys)
        block.add(position, cells, raw, reason)
        if len(block) >= most:
            yield block
            block = Block()
    yield block


def _record(value: Any, raw: str, keys: _Keys) -> tuple[dict[str, Cell] | None, str]:
    """Return the cells of an object, or the reason why there are none."""
    if not isinstance(value, dict):
        return None, "JSON that is not an object"
    if _is_table(value):
        return None, TABLE
    if not encodable(raw) or ("\\u" in raw and not encodable(dump(value))):
        return None, INVALID
    return {name: cell_of(each) for name, each in keys.kept(value).items()}, ""


def _is_table(value: dict[str, object]) -> bool:
    """Tell a whole table, as pandas writes it by default, {"id": {"0": …}, "text": {"0": …}}."""
    columns = [each for each in value.values() if isinstance(each, dict) and each]
    if len(columns) < 2 or len(columns) < len(value):
        return False
    rows = columns[0].keys()
    return "0" in rows and all(each.keys() == rows for each in columns)
