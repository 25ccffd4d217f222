"""The rows of a view page by page, and what they have in common: none of it holds the corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from tasks.core.store import arrow
from tasks.core.store.searcher import Searcher
from tasks.core.store.tables import READINGS
from tasks.core.views.snapshot import Snapshot
from tasks.core.workspace.errors import InputError

Sort = Literal["id", "confidence", "-confidence", "novelty", "-novelty"]
SORTS: tuple[Sort, ...] = get_args(Sort)
COMMONEST = 20  # values of a column that are told
_NUMBERS = ("int64", "double")


@dataclass(frozen=True)
class Page:
    """Some rows of `total`, as hits are in JSON, unscored."""

    total: int
    rows: list[dict[str, object]]


@dataclass(frozen=True)
class Values:
    """The commonest values of a column, with the rows that have them; others: all other rows."""

    values: dict[str, int]
    others: int


@dataclass(frozen=True)
class Range:
    """The least and the greatest value of a column of numbers; None where no row has one."""

    least: float | None
    most: float | None


@dataclass(frozen=True)
class Facets:
    """What `total` rows have in common: rows by label, and each column by its values or range."""

    total: int
    labels: dict[str, int]
    columns: dict[str, Values | Range]


def page(
    now: Snapshot,
    where: str | None = None,
    label: str | None = None,
    sort: Sort = "id",
    limit: int = 50,
    offset: int = 0,
) -> Page:
    """Return rows `offset` to `offset + limit` of those that match, in an order; ties go by id.

    No more of them than up to there is held at a time.
    """
    by, last = sort.removeprefix("-"), offset + limit
    readings = [*([by] if by != "id" else []), *(["label"] if label is not None else [])]
    check_readings(now.rows, readings)
    total, kept = 0, pl.DataFrame()
    for batch in now.rows.scan(list(dict.fromkeys(("id", by))), where, label):
        total += batch.num_rows
        part = pl.DataFrame(pa.table(batch))
        both = pl.concat([kept, part]) if len(kept) else part
        kept = both.sort(by, "id", descending=[sort.startswith("-"), False]).head(last)
    ids = kept["id"].slice(offset).to_list() if len(kept) else []
    return Page(total, now.texts_of(ids))


def facets(now: Snapshot, where: str | None = None, columns: Sequence[str] | None = None) -> Facets:
    """Return what the rows that match have in common.

    columns: of the metadata; None: all. Each column is read by itself, twice where it has many
    values: what is held of it is 16 bytes a value.
    """
    known = now.rows.kinds
    metadata = [name for name in now.shown if name not in ("id", *READINGS)]
    odd = [name for name in columns or () if name not in metadata]
    if odd:
        raise InputError(
            f"column {odd[0][:80]!r}: found none of that name; expected one of:"
            f" {', '.join(metadata) or 'none, the documents have no columns'}"
        )
    labels = now.rows.counts("label", where) if "label" in known else {}
    return Facets(
        total=now.rows.count(where),
        labels=dict(sorted(labels.items(), key=lambda one: (-one[1], one[0]))),
        columns={
            name: _range(now.rows, name, where)
            if known[name] in _NUMBERS
            else _values(now.rows, name, where)
            for name in (metadata if columns is None else dict.fromkeys(columns))
        },
    )


def check_readings(rows: Searcher, names: Sequence[str]) -> None:
    """Refuse to ask the generic space for what only views say of texts."""
    odd = [name for name in names if name not in rows.names]
    if odd:
        raise InputError(
            f"view 'base': found a question about {odd[0]}, which texts have in a view alone;"
            " expected an instruction's"
        )


def _range(rows: Searcher, name: str, where: str | None) -> Range:
    found: list[Any] = []
    for batch in rows.scan([name], where):
        found += pc.min_max(batch.column(0)).as_py().values()
    known = [value for value in found if value is not None and value == value]  # no NaN
    return Range(_number(min(known, default=None)), _number(max(known, default=None)))


def _number(value: object) -> float | None:
    """Return what JSON can say of a number; None of one that is beyond all others."""
    return value if isinstance(value, int | float) and np.isfinite(value) else None


def _values(rows: Searcher, name: str, where: str | None) -> Values:
    """Count values by their hashes, and then see which values the commonest hashes are of."""
    counted = pl.DataFrame(schema={"hash": pl.UInt64, "rows": pl.UInt32})
    for batch in rows.scan([name], where):
        hashes = pl.Series("hash", arrow.hash64(pl.Series(batch.column(0)).drop_nulls()))
        part = hashes.to_frame().group_by("hash").agg(rows=pl.len())
        both = pl.concat([counted, part])
        counted = both.group_by("hash").agg(pl.col("rows").sum())
    first = counted.sort(["rows", "hash"], descending=[True, False]).head(COMMONEST)
    of_hash, sought = dict(first.rows()), set(first["hash"].to_list())
    found: dict[str, int] = {}
    for batch in rows.scan([name], where):
        if not sought:
            break
        values = pl.Series(batch.column(0)).drop_nulls().unique().cast(pl.String)
        for value, key in zip(values.to_list(), arrow.hash64(values).tolist(), strict=True):
            if key in sought:
                sought.discard(key)
                found[value] = of_hash[key]
    ordered = dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))
    return Values(ordered, int(counted["rows"].sum()) - sum(ordered.values()))
