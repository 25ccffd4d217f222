"""What the parts of a condition are, and how Lance's SQL says it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

TEXT, INTEGER, NUMBER, BOOLEAN, DATE, TIME = "text", "integer", "number", "boolean", "date", "time"
OTHER = "other"  # a column that can only be asked whether it is null
LARGEST = 2**63 - 1
PATTERN = 1_000  # characters of a LIKE pattern
WILD = 32  # '%' in one: each is another way to match
_NUMBER = r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,15})?"
_NAMES = {
    "string": TEXT,
    "large_string": TEXT,
    "bool": BOOLEAN,
    "double": NUMBER,
    "date32[day]": DATE,
}


@dataclass(frozen=True)
class Value:
    """A part of a condition as Lance reads it, and the kind of what it gives.

    plain: of a text or number that stands there as it is, else None. depth: of its brackets.
    opposite: of something true or false. Lance is given no NOT before AND or OR: its optimiser
    takes `x AND NOT x` for false where x is null, and so the opposite for true.
    """

    sql: str
    kind: str
    depth: int = 1
    plain: str | None = None
    opposite: str = ""


def kind_of(arrow_type: str) -> str:
    """Return the kind of a column by the name of its Arrow type."""
    if re.fullmatch(r"u?int(8|16|32|64)", arrow_type):
        return INTEGER
    if arrow_type in ("float", "halffloat"):
        return NUMBER
    return TIME if arrow_type.startswith("timestamp") else _NAMES.get(arrow_type, OTHER)


def quoted(text: str) -> str:
    """Return `text` as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def text(value: str) -> Value:
    """Return a text that stands in a condition."""
    return Value(quoted(value), TEXT, plain=value)


def number(value: str) -> Value:
    """Return a number that stands in a condition; ValueError where 64 bits cannot hold it."""
    if re.fullmatch(r"-?[0-9]+", value):
        if len(value) > 20 or abs(int(value)) > LARGEST:
            raise ValueError(f"found a number of {len(value)} digits, expected at most {LARGEST:,}")
        return Value(value if value[0] != "-" else f"({value})", INTEGER, plain=value)
    real = float(value) if len(value) <= 400 else float("inf")
    if abs(real) == float("inf"):
        raise ValueError(f"found a number beyond 1e308 ({value[:20]}…), expected a smaller one")
    return Value(repr(real) if real >= 0 else f"({real!r})", NUMBER, plain=value)


def moment(value: str, kind: str) -> Value:
    """Return a date or a time that is written as ISO 8601 says; ValueError where it is none."""
    try:
        read = datetime.fromisoformat(value.strip())
    except ValueError:
        raise ValueError(f"{value[:40]!r} is no {kind}; write it as '2026-01-31'") from None
    if kind == DATE:
        return Value(f"CAST('{read.date().isoformat()}' AS date)", DATE, 2)
    if read.tzinfo is not None:
        raise ValueError(f"{value[:40]!r} has a time zone; write it in UTC, without one")
    return Value(f"timestamp '{read.isoformat(sep=' ', timespec='microseconds')}'", TIME, 2)


def double(value: Value) -> Value:
    """Return an integer as a number with a fraction."""
    if value.kind != INTEGER:
        return value
    if value.plain is not None:
        return number(f"{value.plain}.0")
    return Value(f"CAST({value.sql} AS double)", NUMBER, value.depth + 1)


def alike(parts: Sequence[Value]) -> list[Value]:
    """Return `parts` as values of one kind; ValueError where they are not comparable.

    A text that stands there as it is and says a number, a date or a time is one beside one.
    """
    others = {part.kind for part in parts if part.kind != TEXT or part.plain is None}
    if TEXT not in others:
        parts = [_read(part, others) if part.kind == TEXT else part for part in parts]
    kinds = {part.kind for part in parts}
    if kinds == {INTEGER, NUMBER}:
        return [double(part) for part in parts]
    if kinds == {DATE, TIME}:
        return [_time(part) for part in parts]
    if len(kinds) > 1 or OTHER in kinds:
        raise ValueError(_unlike(parts))
    return list(parts)


def _read(part: Value, kinds: set[str]) -> Value:
    """Return a text as what it says, if that is of one of `kinds`."""
    said = part.plain or ""
    if kinds & {INTEGER, NUMBER} and re.fullmatch(_NUMBER, said):
        return number(said)
    if BOOLEAN in kinds and said.lower() in ("true", "false"):
        return Value(said.upper(), BOOLEAN)
    for kind in (DATE, TIME):
        if kind in kinds:
            return moment(said, kind)
    return part


def _time(part: Value) -> Value:
    if part.kind == TIME:
        return part
    return Value(f"CAST({part.sql} AS timestamp)", TIME, part.depth + 1)


def _unlike(parts: Sequence[Value]) -> str:
    first = parts[0]
    other = next((part for part in parts if part.kind != first.kind), first)
    said = f"{shown(first)} is {a(first.kind)} and {shown(other)} {a(other.kind)}"
    plain = next((part for part in (first, other) if part.plain is not None), None)
    if plain is not None and plain.kind in (INTEGER, NUMBER) and TEXT in (first.kind, other.kind):
        return f"{said}; write {quoted(plain.plain or '')}"
    return f"{said}; compare like with like, or use TRY_CAST(… AS type)"


def shown(value: Value) -> str:
    """Return how a value begins, for a message."""
    return value.sql if len(value.sql) <= 40 else value.sql[:39] + "…"


def a(kind: str) -> str:
    """Return a kind with its article."""
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def pattern(value: Value, escape: str) -> Value:
    """Return a LIKE pattern with a backslash before what is meant literally."""
    given = value.plain
    if value.kind != TEXT or given is None:
        raise ValueError(f"expected a pattern such as 'ab%' after LIKE, found {shown(value)}")
    made, at = [], 0
    while at < len(given):
        if escape and given[at] == escape:
            if at + 1 == len(given):
                raise ValueError(f"the pattern ends in {escape!r}; double it")
            at += 1
            made.append("\\" + given[at] if given[at] in "%_\\" else given[at])
        else:
            made.append("\\\\" if given[at] == "\\" else given[at])
        at += 1
    if len(given) > PATTERN or given.count("%") > WILD:
        raise ValueError(
            f"found a pattern of {len(given):,} characters and {given.count('%'):,} '%', expected"
            f" at most {PATTERN:,} and {WILD}"
        )
    return text("".join(made))
