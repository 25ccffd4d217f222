"""What every reader of documents hands on: rows in batches, and the rows it could not take."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any, TextIO

ROW_LIMIT = 16_000_000  # characters of one row; a longer one is a lost quote, not a text
BATCH_LIMIT = 32_000_000  # characters of one batch, so that long rows bound it too
BLOCK_SIZE = 1 << 18  # characters read at once
BLOCK_LINES = 1_000  # lines parsed at once
CONTENT_LIMIT = 2_000  # characters of a rejected row that are kept to look at

INVALID = "invalid UTF-8"
TOO_LONG = f"row longer than {ROW_LIMIT:,} characters"

Cell = str | None


@dataclass(frozen=True)
class Reject:
    """A row that was not taken: where it stands, why, and how it begins."""

    path: Path
    position: int
    reason: str
    content: str


@dataclass
class Batch:
    """Rows of one or several files, as columns of raw strings (None: null).

    `paths[i]` and `positions[i]` (line or row, from 1) say where row i stands. `remarks` are
    sentences about how the file was read, where that was not plain.
    """

    columns: dict[str, list[Cell]] = field(default_factory=dict)
    paths: list[Path] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    rejected: list[Reject] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.positions)


@dataclass
class Block:
    """A few records as they were read: good `values` with their positions, and the others."""

    positions: list[int] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    faults: list[tuple[int, str, str]] = field(default_factory=list)  # position, reason, raw
    size: int = 0  # characters

    def __len__(self) -> int:
        return len(self.positions) + len(self.faults)

    def add(self, position: int, value: Any, raw: str, reason: str) -> None:
        """Add one record: its `value`, or its `raw` text if there is a `reason` against it."""
        if reason:
            self.faults.append((position, reason, excerpt(raw)))
            self.size += CONTENT_LIMIT
        else:
            self.positions.append(position)
            self.values.append(value)
            self.size += len(raw)


def cell_of(value: object) -> Cell:
    """Return a JSON value as the text that stands for it; 17.0 becomes "17", as in Parquet."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return dump(value)


def encodable(text: str) -> bool:
    """Say whether `text` is free of lone surrogates, that is: came from valid UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def excerpt(text: str) -> str:
    """Return how `text` begins, with bytes that are not UTF-8 written as \\xNN."""
    begin = text[:CONTENT_LIMIT].rstrip("\r\n")
    if encodable(begin):
        return begin
    try:
        raw = begin.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raw = begin.encode("utf-8", "backslashreplace")
    return raw.decode("utf-8", "backslashreplace")[:CONTENT_LIMIT]


class Lines:
    """The lines of a file: looked at, taken one by one, given back.

    Of a line longer than ROW_LIMIT a part that is still too long is kept and the rest skipped:
    no file can fill the memory. `newline` as in `open`: "" for every kind of line end.
    """

    def __init__(self, handle: TextIO, newline: str) -> None:
        self._handle, self._newline = handle, newline
        self._line_ends = newline or ("\r", "\n")
        self._pending: list[str] = []
        self._begin = self._next = 0  # in _pending: of the current record, of the next line
        self._rest = ""
        self._ended = False
        self.number = 0  # of the line taken last

    def look(self, most: int) -> list[str]:
        """Return the next lines without taking them; none at the end of the file."""
        self.start()
        if self._next == len(self._pending):
            self._fill()
        return self._pending[self._next : self._next + most]

    def take(self, count: int) -> None:
        """Move on past `count` lines that `look` has returned."""
        self._next += count
        self.number += count

    def start(self) -> None:
        """Let the next line begin a record."""
        self._begin = self._next

    @property
    def taken(self) -> list[str]:
        """The lines taken since `start`."""
        return self._pending[self._begin : self._next]

    def give_back(self) -> None:
        """Keep of the lines taken since `start` only the first."""
        self.number -= self._next - self._begin - 1
        self._next = self._begin + 1

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        if self._next == len(self._pending) and not self._fill():
            raise StopIteration
        self.take(1)
        return self._pending[self._next - 1]

    def _fill(self) -> bool:
        """Read on until there is a whole line more; False at the end."""
        del self._pending[: self._begin]
        self._next -= self._begin
        self._begin = 0
        while self._next == len(self._pending) and not self._ended:
            text = self._block()
            self._ended = not text
            lines = list(StringIO(text, newline=self._newline)) or [""] * bool(self._rest)
            whole = self._ended or lines[-1].endswith(self._line_ends)
            if self._rest:
                lines[0] = self._rest + lines[0] if len(self._rest) <= ROW_LIMIT else self._rest
            self._rest = "" if whole else lines.pop()
            self._pending += lines
        return self._next < len(self._pending)

    def _block(self) -> str:
        text = more = self._handle.read(BLOCK_SIZE)
        while more.endswith("\r"):  # it may be half of a line end
            more = self._handle.read(1)
            text += more
        return text


def batched(
    path: Path,
    blocks: Iterable[Block],
    rows: int,
    columns: Callable[[list[Any]], dict[str, list[Cell]]],
) -> Iterator[Batch]:
    """Gather `blocks` into batches of at most `rows` rows, good and rejected together."""
    batch, size = Batch(columns([])), 0
    for block in blocks:
        count = len(batch) + len(batch.rejected)
        if count and (count + len(block) > rows or size + block.size > BATCH_LIMIT):
            yield batch
            batch, size = Batch(columns([])), 0
        _extend(batch.columns, len(batch), columns(block.values), len(block.values))
        batch.positions += block.positions
        batch.paths += [path] * len(block.positions)
        batch.rejected += [Reject(path, *fault) for fault in block.faults]
        size += block.size
    yield batch


def _extend(
    table: dict[str, list[Cell]], height: int, more: dict[str, list[Cell]], count: int
) -> None:
    """Put `count` rows below the `height` rows of `table`; what either lacks is null."""
    for name, cells in more.items():
        table.setdefault(name, [None] * height).extend(cells)
    for name in table.keys() - more.keys():
        table[name].extend([None] * count)


def column_names(cells: Sequence[str]) -> list[str]:
    """Return the names in a header: trimmed, the empty ones numbered, the repeated ones too."""
    names: dict[str, None] = {}
    copies: Counter[str] = Counter()
    for number, cell in enumerate(cells, 1):
        name = base = cell.strip() or f"column_{number}"
        while name in names:
            copies[base] += 1
            name = f"{base}_{copies[base] + 1}"
        names[name] = None
    return list(names)


def dump(value: Any) -> str:
    """Write a nested value as JSON on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
