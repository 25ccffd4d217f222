"""Tables that fit the terminal: where it is narrow, what matters least is left out."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from flows.cli.terminal import lines

PIPED = 100  # characters of a table where there is no terminal to ask
_GAP = 3  # characters between two columns
_LEAST = 6  # characters of a column of names, at least
_NARROWEST = 20  # a smaller COLUMNS is a mistake
_ENDLESS = 100_000
_UNBROKEN = {"number": "right", "code": "left"}
_WORDS = 0.35  # share of the width that a column of texts gets at least


@dataclass(frozen=True)
class Column:
    """One column of a table.

    kind: "name", "number" (to the right, never broken), "code" (to the left, never broken) or
    "words", which takes what the others leave. spare: columns that have one are left out where
    there is no room, the highest first.
    """

    title: str
    cells: Sequence[str]
    kind: str = "name"
    spare: int = 0


class _Console(Console):
    def render_str(self, text: str, *args: Any, **kwargs: Any) -> Any:
        return super().render_str(lines(text), *args, **kwargs)


def fits(*columns: Column) -> bool:
    """Tell whether the terminal has room for these columns, with some for words."""
    console = _console()
    endless = console.options.update(max_width=_ENDLESS)
    table = _table("", [_widest(column) for column in columns], console.width)
    return console.measure(table, options=endless).maximum <= console.width


def _widest(column: Column) -> Column:
    """Return a column of one row that takes as much room: thousands take long to measure."""
    return replace(column, cells=[max(column.cells, key=_width, default="")])


def _width(cell: str) -> int:
    return max(map(cell_len, lines(cell).splitlines()), default=0)


def print_table(title: str, *columns: Column) -> None:
    """Print the columns that the terminal has room for; texts are taken as they are."""
    shown = list(columns)
    while not fits(*shown) and any(column.spare for column in shown):
        shown.remove(max(shown, key=lambda column: column.spare))
    console = _console()
    made = _table("", shown, console.width)
    for column in made.columns:
        column.width = None
    with console.capture() as laid_out:
        console.print(title)
        console.print(made)
    console.file.write("\n".join(line.rstrip() for line in laid_out.get().split("\n")))


def _table(title: str, columns: Sequence[Column], room: int) -> Table:
    made = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    most = _widths_of_names(columns, room)
    for at, column in enumerate(columns):
        made.add_column(column.title, **_layout(column.kind, room, most.get(at)))
    for row in zip(*(column.cells for column in columns), strict=True):
        made.add_row(*row)
    return made


def _widths_of_names(columns: Sequence[Column], room: int) -> dict[int, int]:
    """Return how wide each column of names may be beside words; the wide get what others leave.

    Nothing where no words are: then nothing has to be left for them.
    """
    widths = [max(map(cell_len, (each.title, *each.cells))) for each in columns]
    kinds = [column.kind for column in columns]
    if "words" not in kinds:
        return {}
    left = int((1 - _WORDS) * room) - _GAP * len(columns)
    left -= sum(width for width, kind in zip(widths, kinds, strict=True) if kind in _UNBROKEN)
    names = sorted((width, at) for at, width in enumerate(widths) if kinds[at] == "name")
    most: dict[int, int] = {}
    for done, (width, at) in enumerate(names):
        most[at] = max(min(width, left // (len(names) - done)), _LEAST)
        left -= most[at]
    return most


def _layout(kind: str, room: int, most: int | None) -> dict[str, Any]:
    if kind in _UNBROKEN:
        return {"justify": _UNBROKEN[kind], "no_wrap": True}
    if kind == "words":
        least = int(_WORDS * room)
        return {"min_width": least, "width": least, "overflow": "fold"}
    return {"overflow": "fold", "max_width": most}


def _console() -> Console:
    """Return a console that takes texts as they are: no markup, no emoji codes, no control.

    As wide as COLUMNS says, or the terminal, or PIPED.
    """
    size = shutil.get_terminal_size((PIPED, 24))
    plain: dict[str, Any] = {"markup": False, "emoji": False, "highlight": False}
    return _Console(width=max(size.columns, _NARROWEST), height=size.lines, **plain)
