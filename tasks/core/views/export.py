"""The rows of a view as a frame, and in a file for other programs: Parquet, CSV, numpy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from tasks.core.store import tables
from tasks.core.text.formulas import neutral
from tasks.core.views.view_rows import Rows
from tasks.core.workspace.files import check_place, replacing, sweep_beside, write_json


def frame(rows: Rows, names: list[str] | None = None) -> pl.DataFrame:
    """Return the rows of a view or of the base table, by default with all `rows.names`."""
    return pl.concat(rows.parts(rows.names if names is None else names))


def export_parquet(rows: pl.DataFrame, file: Path) -> None:
    """Write `rows` as Parquet, whole or not at all."""
    _prepare(file)
    with replacing(file) as out:
        rows.write_parquet(out)


def export_csv(rows: pl.DataFrame, file: Path) -> None:
    """Write `rows` without their vectors as CSV, in which no spreadsheet finds a formula."""
    _prepare(file)
    with replacing(file) as out:
        neutral(rows.drop(tables.VECTOR)).write_csv(out)


def export_npy(rows: pl.DataFrame, file: Path) -> None:
    """Write the vectors as an array (n, d), and their ids in the same order as JSON beside it.

    The ids of an older array go first: a kill leaves none, never those of other rows.
    """
    _prepare(file)
    file.with_suffix(".ids.json").unlink(missing_ok=True)
    with replacing(file) as out:
        np.save(out, rows[tables.VECTOR].to_numpy(), allow_pickle=False)
    write_json(file.with_suffix(".ids.json"), rows["id"].to_list())


def _prepare(file: Path) -> None:
    """Refuse a place where no file can be, and remove what a killed export left beside it."""
    check_place(file)
    sweep_beside(file)
