"""The columns of the corpus: names that SQL can say, and types that all of their values have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from tasks.core.documents.metadata import FIXED, TYPES, sql_names, typed
from tasks.core.documents.staging import RAW, UNNAMED
from tasks.core.documents.tally import together
from tasks.core.store import arrow
from tasks.core.workspace.files import digest

ARROW = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
}
PACKED = {"lance-encoding:compression": "zstd"}  # 74 bytes a row of eight words, hashes included


@dataclass(frozen=True)
class TableColumns:
    """The metadata columns: `names` in the table and `kinds`, each by the name in the documents."""

    names: dict[str, str]
    kinds: dict[str, str]

    @classmethod
    def of(cls, shapes: Iterable[str]) -> TableColumns:
        """Return the columns that all sources share, from what each of them says (`Tally`)."""
        votes = {
            name: vote
            for name, vote in together(shapes).items()
            if not (UNNAMED.fullmatch(name) and vote.empty)
        }
        return cls(sql_names(votes), {name: vote.kind for name, vote in votes.items()})

    @property
    def kept(self) -> dict[str, str]:
        """The kind of each column by its name in the table."""
        return {self.names[name]: kind for name, kind in self.kinds.items()}

    @property
    def renamed(self) -> dict[str, str]:
        """The columns whose names had to change: old to new."""
        return {old: new for old, new in self.names.items() if old != new}

    @property
    def schema(self) -> pa.Schema:
        """The table's columns as Arrow has them."""
        kinds = dict.fromkeys(FIXED, "string") | self.kept
        came_as = {new: old for old, new in self.renamed.items()}
        return pa.schema(
            arrow.named(
                pa.field(name, ARROW[kind], metadata=PACKED if kind == "string" else None),
                came_as.get(name),
            )
            for name, kind in kinds.items()
        )

    @property
    def digest(self) -> int:
        """A number of 128 bits that names all columns, also those without a value in any row."""
        return int(digest(sorted(self.kept.items()), sorted(self.renamed.items())), 16)

    def typed(self, staged: pl.DataFrame) -> pl.DataFrame:
        """Return staged rows (see `Intake`) as rows of the table."""
        columns: list[Any] = [pl.col(name) for name in FIXED]
        for name, kind in self.kinds.items():
            known = RAW + name in staged.columns
            column = typed(pl.col(RAW + name), kind) if known else pl.lit(None, TYPES[kind])
            columns.append(column.alias(self.names[name]))
        return staged.select(columns)


def staged_part(path: Path, columns: list[str] | None = None) -> pl.DataFrame:
    """Read a part that `Intake` has staged."""
    return pl.read_parquet(path, columns=columns, memory_map=False)
