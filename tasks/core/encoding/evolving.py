"""The columns of a table that came with the documents: they come and go as those have it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa

from tasks.core.remote.driving import driving
from tasks.core.store import arrow
from tasks.core.store.tables import columns, metadata_schema, open_table
from tasks.core.workspace.exhaustion import naming_table


@naming_table
def evolve(table: Path, wanted: Sequence[pa.Field], reserved: Iterable[str]) -> None:
    """Give the table the metadata columns `wanted`: new ones start as null, others are dropped.

    A column of another type, or another one of the documents, starts anew as well. The row hashes
    go with any column that goes, so that every row counts as changed until it is written again:
    after a kill the column may be wanted once more.
    """
    have = arrow.kinds(metadata_schema(table, reserved))
    want = arrow.kinds(wanted)
    gone = [name for name in have if name not in want]
    retyped = [name for name in have if name in want and want[name] != have[name]]
    if gone or retyped:
        hashes_there = [name for name in columns(table) if name == "row_hash"]
        with driving(table):
            open_table(table).drop_columns(gone + retyped + hashes_there)
    fresh = [field for field in wanted if field.name not in have or field.name in retyped]
    if "row_hash" not in columns(table):  # dropped above, or before a kill
        fresh.append(pa.field("row_hash", pa.string()))
    if fresh:
        with driving(table):
            open_table(table).add_columns(pa.schema(fresh))
