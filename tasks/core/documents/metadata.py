"""Metadata columns: names that SQL can say, and types that all their values have."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import polars as pl

FIXED = ("id", "text", "text_hash", "row_hash", "source")
RESERVED = frozenset((*FIXED, "vector", "features", "label", "confidence", "novelty", "score"))
PREFIX = "meta_"

# At most 18 and 15 digits: what a 64-bit integer and a 64-bit float hold without loss.
PATTERNS = {
    "integer": r"^-?(0|[1-9][0-9]{0,17})$",
    "number": r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?$",
    "boolean": r"^(?i:true|false)$",
}
TYPES: dict[str, type[pl.DataType]] = {
    "string": pl.String,
    "integer": pl.Int64,
    "number": pl.Float64,
    "boolean": pl.Boolean,
}


class TypeVote:
    """The types that every non-null value of a column has had so far."""

    def __init__(self) -> None:
        self._possible = tuple(PATTERNS)
        self._any = False

    def see(self, values: pl.Series) -> None:
        """Take more values (strings and nulls) into account."""
        self._any = self._any or values.null_count() < len(values)
        self._possible = tuple(
            kind for kind in self._possible if values.str.contains(PATTERNS[kind]).all()
        )

    @property
    def code(self) -> str:
        """What was found, in at most four letters (see `of`)."""
        return "".join(kind[0] for kind in self._possible) + "+" * self._any

    @classmethod
    def of(cls, code: str) -> TypeVote:
        """Return the vote that has this `code`."""
        vote = cls()
        vote._any = code.endswith("+")
        vote._possible = tuple(kind for kind in PATTERNS if kind[0] in code)
        return vote

    def join(self, other: TypeVote) -> None:
        """Take what another vote has seen into account."""
        self._any = self._any or other._any
        self._possible = tuple(kind for kind in self._possible if kind in other._possible)

    @property
    def empty(self) -> bool:
        """Whether nothing but nulls was seen."""
        return not self._any

    @property
    def kind(self) -> str:
        """The narrowest type that fits; "string" if none does or nothing was seen."""
        return self._possible[0] if self._any and self._possible else "string"


def typed(column: pl.Expr, kind: str) -> pl.Expr:
    """Cast strings that `TypeVote` found to be of `kind`."""
    if kind == "boolean":
        return column.str.to_lowercase() == "true"
    return column if kind == "string" else column.cast(TYPES[kind])


def sql_names(names: Iterable[str]) -> dict[str, str]:
    """Give each of `names` a distinct plain SQL identifier, itself where it is one.

    Reserved names, those starting with "_" and those starting with a digit get the prefix
    "meta_". Names are compared without regard to case, as SQL does.
    """
    wanted = {name: _identifier(name) for name in names}
    taken: set[str] = set()
    given: dict[str, str] = {}
    for name in sorted(wanted, key=lambda name: wanted[name] != name):
        base, copy = wanted[name], 1
        candidate = base
        while candidate.lower() in taken:
            copy += 1
            candidate = f"{base}_{copy}"
        taken.add(candidate.lower())
        given[name] = candidate
    return {name: given[name] for name in wanted}


def _identifier(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_]+", name):
        ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "replace").decode()
        name = re.sub(r"[^A-Za-z0-9]+", "_", ascii_name).strip("_") or "column"
    if name.lower() in RESERVED or not name[0].isalpha():
        return PREFIX + name
    return name
