"""The functions that a condition may use: none makes more of a text than it is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tasks.core.where.values import (
    BOOLEAN,
    DATE,
    INTEGER,
    NUMBER,
    OTHER,
    TEXT,
    TIME,
    Value,
    a,
    alike,
    double,
    moment,
    shown,
)

Make = Callable[[Sequence[Value]], Value]
TYPES = {
    **dict.fromkeys(("text", "string", "varchar", "char"), (TEXT, "string")),
    **dict.fromkeys(("int", "integer", "bigint", "smallint"), (INTEGER, "bigint")),
    **dict.fromkeys(("double", "float", "real"), (NUMBER, "double")),
    **dict.fromkeys(("boolean", "bool"), (BOOLEAN, "boolean")),
    "date": (DATE, "date"),
    "timestamp": (TIME, "timestamp"),
}
PARTS = ("year", "quarter", "month", "week", "day", "dow", "doy", "hour", "minute", "second")


def _depth(parts: Sequence[Value], more: int = 1) -> int:
    return max(part.depth for part in parts) + more


def _listed(parts: Sequence[Value]) -> str:
    return ", ".join(part.sql for part in parts)


def _of_text(name: str, kind: str, count: int = 1) -> tuple[int, int, Make]:
    def make(parts: Sequence[Value]) -> Value:
        """Return the SQL of a call whose arguments are all texts."""
        for part in parts:
            _expect(part, TEXT)
        return Value(f"{name}({_listed(parts)})", kind, _depth(parts))

    return count, count, make


def _length(parts: Sequence[Value]) -> Value:
    _expect(parts[0], TEXT)
    return Value(f"CAST(character_length({parts[0].sql}) AS bigint)", INTEGER, _depth(parts, 2))


def _substr(parts: Sequence[Value]) -> Value:
    """Say substr(text, first, count) by left and right: Lance's parser does not take it."""
    _expect(parts[0], TEXT)
    first, *count = (_whole(part) for part in parts[1:])
    if first < 1:
        raise ValueError("substr: expected a first character from 1 on")
    sql = parts[0].sql if first == 1 else f"right({parts[0].sql}, -{first - 1})"
    return Value(f"left({sql}, {count[0]})" if count else sql, TEXT, _depth(parts, 2))


def _end(name: str) -> tuple[int, int, Make]:
    def make(parts: Sequence[Value]) -> Value:
        """Return the SQL of the first or last characters of a text."""
        _expect(parts[0], TEXT)
        return Value(f"{name}({parts[0].sql}, {_whole(parts[1])})", TEXT, _depth(parts))

    return 2, 2, make


def _whole(part: Value) -> int:
    if part.kind != INTEGER or part.plain is None or not 0 <= int(part.plain) <= 1_000_000:
        raise ValueError(f"expected a whole number from 0 to 1,000,000, found {shown(part)}")
    return int(part.plain)


def _abs(parts: Sequence[Value]) -> Value:
    _expect(parts[0], INTEGER, NUMBER)
    return Value(f"abs({parts[0].sql})", parts[0].kind, _depth(parts))


def _round(parts: Sequence[Value]) -> Value:
    _expect(parts[0], INTEGER, NUMBER)
    digits = f", {min(_whole(parts[1]), 15)}" if len(parts) > 1 else ""
    return Value(f"round({double(parts[0]).sql}{digits})", NUMBER, _depth(parts, 2))


def _same(name: str) -> Make:
    def make(parts: Sequence[Value]) -> Value:
        """Return the SQL of a call whose arguments are all of one kind."""
        parts = alike(parts)
        return Value(f"{name}({_listed(parts)})", parts[0].kind, _depth(parts))

    return make


def _part(parts: Sequence[Value]) -> Value:
    name = (parts[0].plain or "").lower()
    if name not in PARTS:
        raise ValueError(f"date_part: expected one of {', '.join(PARTS)} first")
    _expect(parts[1], DATE, TIME)
    sql = f"CAST(date_part('{name}', {parts[1].sql}) AS bigint)"
    return Value(sql, INTEGER, _depth(parts, 2))


def _expect(part: Value, *kinds: str) -> None:
    if part.kind not in kinds:
        raise ValueError(f"expected {a(kinds[0])}, found {shown(part)}, {a(part.kind)}")


# name: fewest and most arguments, and what is made of them
FUNCTIONS: dict[str, tuple[int, int, Make]] = {
    "lower": _of_text("lower", TEXT),
    "upper": _of_text("upper", TEXT),
    "trim": _of_text("btrim", TEXT),
    "ltrim": _of_text("ltrim", TEXT),
    "rtrim": _of_text("rtrim", TEXT),
    "length": (1, 1, _length),
    "starts_with": _of_text("starts_with", BOOLEAN, 2),
    "ends_with": _of_text("ends_with", BOOLEAN, 2),
    "contains": _of_text("contains", BOOLEAN, 2),
    "substr": (2, 3, _substr),
    "left": _end("left"),
    "right": _end("right"),
    "abs": (1, 1, _abs),
    "round": (1, 2, _round),
    "coalesce": (1, 16, _same("coalesce")),
    "nullif": (2, 2, _same("nullif")),
    "date_part": (2, 2, _part),
}
ALIASES = {"substring": "substr", "char_length": "length", "character_length": "length"}


def call(name: str, parts: Sequence[Value]) -> Value:
    """Return what function `name` makes of `parts`; ValueError where it may not or cannot."""
    known = ALIASES.get(name.lower(), name.lower())
    if known not in FUNCTIONS:
        raise ValueError(
            f"function {name[:40]!r} may not be used; these may: {', '.join(FUNCTIONS)}"
        )
    fewest, most, make = FUNCTIONS[known]
    if not fewest <= len(parts) <= most:
        many = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        raise ValueError(f"{known}: found {len(parts)} arguments, expected {many}")
    return make(parts)


def cast(value: Value, name: str, function: str) -> Value:
    """Return `value` as another type; `function` is CAST, which fails, or TRY_CAST, which nulls."""
    if name.lower() not in TYPES:
        raise ValueError(f"type {name[:40]!r}: expected one of {', '.join(TYPES)}")
    kind, sql = TYPES[name.lower()]
    if value.kind == OTHER:
        raise ValueError(f"{shown(value)} holds nothing that can be compared")
    if kind in (DATE, TIME) and value.plain is not None and value.kind == TEXT:
        return moment(value.plain, kind)
    return Value(f"{function}({value.sql} AS {sql})", kind, value.depth + 1)
