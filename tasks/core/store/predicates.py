"""SQL conditions that pick rows of a table by the values of a column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_IDS_PER_PREDICATE = 4_000  # a longer IN list gains nothing and nests the expression deeper


def predicates(column: str, values: Sequence[str]) -> Iterator[str]:
    """Yield SQL conditions that together select the rows whose `column` is one of `values`."""
    for at in range(0, len(values), _IDS_PER_PREDICATE):
        inside = ", ".join(quoted(value) for value in values[at : at + _IDS_PER_PREDICATE])
        yield f"{column} IN ({inside})"


def quoted(value: str) -> str:
    """Return `value` as an SQL string literal."""
    return "'" + value.replace("'", "''") + "'"
