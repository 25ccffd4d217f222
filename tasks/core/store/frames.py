"""The rows of a table as Polars frames; who only searches does without Polars, and its threads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa

from tasks.core.store import tables


def parts(
    table: Path, names: Sequence[str], version: int | str | None = None, rows: int = 65_536
) -> Iterator[pl.DataFrame]:
    """Stream columns `names` as frames of at most `rows` rows, in table order."""
    for batch in tables.batches(table, names, version=version, rows=rows):
        yield pl.DataFrame(pa.table(batch))


def whole(table: Path, names: Sequence[str], version: int | str | None = None) -> pl.DataFrame:
    """Return columns `names` of all rows, in table order."""
    return pl.concat(parts(table, names, version))
