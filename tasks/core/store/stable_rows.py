"""Tables whose rows keep one number for life: what changed between two versions needs no search.

A number (Lance's stable row id) stays with its row through commits and compactions, and is given
to no other row of the table, even where all its content is replaced.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tasks.core.store import layout, tables
from tasks.core.store.addresses import predicates
from tasks.core.workspace.exhaustion import naming_table

NUMBER = "_rowid"  # Lance's name of the column


@dataclass(frozen=True)
class Between:
    """What lies between two versions of a table, by the numbers of rows, ascending."""

    arrived: np.ndarray
    gone: np.ndarray


@naming_table
def write_fragments(
    table: Path, schema: pa.Schema, parts: Iterable[pa.Table], *, fresh: bool
) -> list[str]:
    """Write rows, of which one part is in memory at a time, as fragments nobody sees yet."""
    batches = (batch for part in parts for batch in part.to_batches())
    reader = pa.RecordBatchReader.from_batches(schema, batches)
    return tables.write_fragments(table, reader, {}, fresh=fresh)


@naming_table
def replace_all(table: Path, schema: pa.Schema, fragments: Sequence[str]) -> int:
    """Replace the content of `table` by `fragments` in one commit; every row has a new number."""
    return tables.commit_whole(table, schema, {}, fragments, stable=True)


def numbers(table: Path) -> np.ndarray:
    """Return the number of every row, ascending: (n,) uint64, and no copy of it on the way."""
    dataset = tables.open_table(table)
    found, at = np.empty(dataset.count_rows(), np.uint64), 0
    with tables.readable(table):
        for batch in dataset.scanner(columns=[], with_row_id=True).to_batches():
            found[at : at + batch.num_rows] = batch.column(NUMBER).to_numpy()
            at += batch.num_rows
    found.sort()
    return found


def numbered(table: Path, name: str) -> Iterator[tuple[np.ndarray, pa.Array]]:
    """Stream the numbers of rows with their values of column `name`, in table order."""
    scanner = tables.open_table(table).scanner(
        columns=[name],
        with_row_id=True,
        batch_size=65_536,
        io_buffer_size=tables.READ_AHEAD,
        scan_in_order=True,
    )
    with tables.readable(table):
        for batch in scanner.to_batches():
            yield batch.column(NUMBER).to_numpy(), batch.column(name)


def selected(
    table: Path, column: str, values: Sequence[str], names: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """Stream columns `names` and the address of the rows whose `column` is one of `values`."""
    dataset = tables.open_table(table)
    for predicate in predicates(column, values):
        scanner = dataset.scanner(columns=list(names), filter=predicate, with_row_address=True)
        with tables.readable(table):
            yield from scanner.to_batches()


def take(
    table: Path, rows: np.ndarray, names: Sequence[str] | None = None, version: int | None = None
) -> pa.Table:
    """Return the rows with the numbers `rows`, in their order; columns `names`, by default all."""
    dataset = tables.open_table(table, version)
    columns = None if names is None else list(names)
    with tables.readable(table):
        return dataset._take_rows(rows.astype(np.uint64), columns=columns)


def between(table: Path, version: int, state: str) -> Between | None:
    """Return what changed since `version`, if that is at hand and its `state` is the one noted.

    None where it is not: another checkout, or a version that was let go.
    """
    if not state or layout.state(table, version) != state:
        return None
    dataset = tables.open_table(table)
    if dataset.version == version:
        return Between(np.empty(0, np.uint64), np.empty(0, np.uint64))
    with tables.readable(table):
        delta = dataset.delta(compared_against=version)
        arrived, gone = _numbers(delta.get_inserted_rows()), _numbers(delta.get_deleted_row_ids())
    return Between(np.sort(arrived), np.sort(gone))


def _numbers(batches: Iterable[Any]) -> np.ndarray:
    parts = [batch.column(NUMBER).to_numpy() for batch in batches]
    return np.concatenate(parts) if parts else np.empty(0, np.uint64)
