"""The table of a corpus made by hand, as an ingest would commit it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa

from tasks.core.store import frames, stable_rows, tables
from tasks.core.text.same_text import TextKeys
from tasks.core.workspace.paths import Paths


def write_corpus_table(table: Path, frame: pl.DataFrame, rows: int = 1_000_000) -> Path:
    """Make `table` hold the rows of `frame` in their order, so many `rows` a fragment."""
    whole = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    texts = [field for field in whole.schema if pa.types.is_large_string(field.type)]
    schema = whole.schema
    for field in texts:
        schema = schema.set(schema.get_field_index(field.name), field.with_type(pa.string()))
    whole = whole.cast(schema)
    made = []
    for at in range(0, len(frame), rows):
        part = [whole.slice(at, rows)]
        made += stable_rows.write_fragments(table, schema, part, fresh=True)
    stable_rows.replace_all(table, schema, made)
    return table


def keys_of(frame: pl.DataFrame) -> TextKeys:
    """Return how to look up ids and hashes in a frame that has both."""

    def read(column: str, values: Iterable[str] | None) -> Iterator[pl.DataFrame]:
        rows = frame.select("id", "text_hash")
        yield rows if values is None else rows.filter(pl.col(column).is_in(list(values)))

    return read


def corpus_rows(root: Path) -> pl.DataFrame:
    """Return the rows of a workspace's corpus, in the order of its table."""
    table = Paths(root).corpus_table
    return frames.whole(table, list(tables.columns(table)))
