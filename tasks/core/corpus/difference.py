"""What separates the corpus's table from the rows that were staged, and the commit that ends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from tasks.core.corpus.table_columns import TableColumns, staged_part
from tasks.core.documents.staging import id_bits, id_keys, total
from tasks.core.store import addresses, arrow, comparing, layout, stable_rows, tables

ROW, TEXT = "row_hash", "text_hash"
MOST_GONE = 0.5  # share of the rows from which the whole table is written anew


@dataclass(frozen=True)
class Difference:
    """Rows that go, by their addresses, and the 64-bit hashes, ascending, of those that stay."""

    gone: np.ndarray
    stay: np.ndarray


@dataclass(frozen=True)
class RowsOf:
    """The rows of some sources in the table, 40 bytes each: where they lie, and 64 bits of hashes.

    digest: the sum of their row hashes; see `staging.total`.
    """

    digest: int
    addresses: np.ndarray
    rows: np.ndarray
    texts: np.ndarray
    ids: np.ndarray
    keys: np.ndarray


def rows_of(table: Path, sources: Sequence[str]) -> RowsOf:
    """Look up the rows that come from `sources`."""
    parts: list[tuple[np.ndarray, ...]] = [(np.empty(0, np.uint64),) * 5]
    digest = 0
    for batch in stable_rows.selected(table, "source", sources, ["id", TEXT, ROW]):
        ids = pl.Series(batch.column("id"), dtype=pl.String)
        digest += total(bytes.fromhex("".join(batch.column(ROW).to_pylist())))
        hashes = (arrow.hash64(batch.column(name)) for name in (ROW, TEXT))
        where = batch.column(addresses.ADDRESS).to_numpy()
        parts.append((where, *hashes, id_bits(ids), id_keys(ids)))
    return RowsOf(digest, *map(np.concatenate, zip(*parts, strict=True)))


def of_whole(table: Path, parts: Sequence[Path], columns: TableColumns) -> Difference | None:
    """Compare the whole table with all rows; None where it has to be written anew."""
    if not layout.exists(table) or not _alike(table, columns):
        return None
    wanted = np.sort(np.concatenate(list(_staged(parts, ROW))))
    gone = comparing.strangers(table, ROW, wanted)
    if len(gone) > MOST_GONE * tables.count(table):
        return None
    del wanted
    have = tables.hashes(table, ROW)
    have.sort()
    return Difference(gone, have)


def of_some(old: RowsOf, parts: Sequence[Path]) -> Difference:
    """Compare the rows of some sources with those that were staged of them."""
    wanted = np.sort(np.concatenate([np.empty(0, np.uint64), *_staged(parts, ROW)]))
    return Difference(old.addresses[~comparing.among(old.rows, wanted)], np.sort(old.rows))


def _alike(table: Path, columns: TableColumns) -> bool:
    return arrow.kinds(tables.open_table(table).schema) == arrow.kinds(columns.schema)


def _staged(parts: Sequence[Path], name: str) -> Iterator[np.ndarray]:
    for part in parts:
        yield arrow.hash64(staged_part(part, [name])[name])


def fewer_texts(table: Path, old: RowsOf, found: Difference, parts: Sequence[Path]) -> int:
    """Return how many different texts fewer the table has after a change than before."""
    goes = old.texts[np.isin(old.addresses, found.gone)]
    comes = [np.empty(0, np.uint64)]
    for rows, texts in zip(_staged(parts, ROW), _staged(parts, TEXT), strict=True):
        comes.append(texts[~comparing.among(rows, found.stay)])
    came = np.concatenate(comes)
    touched = np.unique(np.concatenate((goes, came)))
    if not len(touched):
        return 0
    before = np.zeros(len(touched), np.int64)
    for batch in tables.batches(table, [TEXT]):
        texts = arrow.hash64(batch.column(TEXT))
        texts = texts[comparing.among(texts, touched)]
        np.add.at(before, np.searchsorted(touched, texts), 1)
    after = before.copy()
    np.subtract.at(after, np.searchsorted(touched, goes), 1)
    np.add.at(after, np.searchsorted(touched, came), 1)
    return int((before > 0).sum() - (after > 0).sum())


def commit(
    table: Path, parts: Sequence[Path], columns: TableColumns, found: Difference | None
) -> None:
    """Make the table hold what was staged, in one commit; none where nothing changes."""
    if found is None:
        fresh = _written(table, parts, columns, columns.schema, None)
        stable_rows.replace_all(table, columns.schema, fresh)
        return
    comes = any((~comparing.among(rows, found.stay)).any() for rows in _staged(parts, ROW))
    order = list(tables.columns(table))
    schema = pa.schema([columns.schema.field(name) for name in order])
    made = _written(table, parts, columns, schema, found.stay) if comes else []
    tables.commit_rows(table, found.gone, made)


def _written(
    table: Path,
    parts: Sequence[Path],
    columns: TableColumns,
    schema: pa.Schema,
    stay: np.ndarray | None,
) -> list[str]:
    """Write the staged rows but for those that `stay` as fragments; None: all, for a new table."""

    def rows() -> Iterator[pa.Table]:
        for part in parts:
            staged = staged_part(part)
            if stay is not None:
                new = ~comparing.among(arrow.hash64(staged[ROW]), stay)
                staged = staged.filter(pl.Series(new))
            frame = columns.typed(staged).select(schema.names)
            yield frame.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(schema)

    return stable_rows.write_fragments(table, schema, rows(), fresh=stay is None)
