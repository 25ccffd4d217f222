"""Indices are made here, and extended by new rows: of many in a process of its own.

Lance takes some 600 MB for vectors, which would come on top of an encoder; a process of its own
gives it all back. Run as a script with what to make and a table's address, this file is that
process.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from tasks.core.remote.driving import driving
from tasks.core.remote.pointers import location_of
from tasks.core.store import recall
from tasks.core.store.tables import FEATURES, VECTOR, count, open_table

KEYS = ("id", "text_hash")
APART = 50_000  # rows from which the index is made in a process of its own: a second to start
_WIDE = 256  # dimensions from which an index holds rounded vectors: half the bytes to read
_EACH = 8_192  # rows of a partition, as Lance has it of 8 bits; of two bits it would be 4,096
_SAMPLE = 64  # vectors per partition whose means are sought; of 256, 480 MB are held at 10⁷ x 384
_SPARING = {
    "MALLOC_ARENA_MAX": "1",  # glibc: 150 MB less at 400,000 rows, in the same time
    "LANCE_SHUFFLE_BATCH_BYTES": str(32 << 20),  # held until they are sorted by partition; not 128
}


def make(table: Path) -> None:
    """Make the index of the vectors anew and measure it."""
    if count(table) < APART:
        _make(table)
    else:
        _apart("vectors", table)


def extend_keys(table: Path) -> None:
    """Index ids and text hashes, or take what is new into their indices."""
    if unkeyed(table) < APART:
        _extend_keys(table)
    else:
        _apart("keys", table)


def extend(table: Path, made: Any, keep: int) -> None:
    """Take the rows that are new into an index, with those newer segments that they weigh up.

    made: as `of_column` returns it. keep: so many of the oldest segments are left as they are.
    """
    *segments, new = rows_of(open_table(table), made)
    if not new:
        return
    merged, newer = 0, new
    for at, size in enumerate(reversed(segments[keep:]), start=1):
        merged = at if 2 * newer >= size else merged
        newer += size
    with driving(table):
        open_table(table).optimize.optimize_indices(
            num_indices_to_merge=merged, index_names=[made.name]
        )


def of_column(dataset: Any, column: str) -> Any:
    """Return Lance's description of the index of a column, or None."""
    indices = dataset.describe_indices()
    return next((made for made in indices if column in made.field_names), None)


def rows_of(dataset: Any, made: Any) -> list[int]:
    """Return the rows of each segment, the oldest first, and last those that are in none."""
    left = {fragment.fragment_id: fragment.physical_rows for fragment in dataset.get_fragments()}
    rows = [sum(left.pop(at, 0) for at in segment.fragment_ids) for segment in made.segments]
    return [*rows, sum(left.values())]


def unkeyed(table: Path) -> int:
    """Return how many rows the index of ids lacks."""
    dataset = open_table(table)
    made = of_column(dataset, KEYS[0])
    return int(dataset.count_rows()) if made is None else rows_of(dataset, made)[-1]


def _apart(what: str, table: Path) -> None:
    command = [sys.executable, "-P", "-m", __name__, what, str(table)]
    sparing = {**_SPARING, **os.environ}
    # It ends with this one, even if that is killed: then its input ends, and nobody writes on.
    with subprocess.Popen(
        command, env=sparing, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        said = [line.strip() for line in process.stderr or () if line.strip()]
    if process.returncode:
        last = said[-1] if said else f"exit code {process.returncode}"
        raise RuntimeError(f"{table}: its index could not be made: {last}")


def _extend_keys(table: Path) -> None:
    dataset = open_table(table)
    for column in KEYS:
        made = of_column(dataset, column)
        if made is not None:
            extend(table, made, keep=0)
        elif column in dataset.schema.names:
            with driving(table):
                open_table(table).create_scalar_index(column, "BTREE")


def _make(table: Path) -> None:
    """Make the index of the first kind that is measured to find enough, or else of the last."""
    import lancedb

    where = location_of(table)
    folder, _, name = where.uri.rpartition("/")
    database = lancedb.connect(folder, storage_options=where.options)
    many = partitions(count(table))
    for kind in _kinds(open_table(table).schema):
        made = kind(distance_type="cosine", num_partitions=many, sample_rate=_SAMPLE)
        with driving(table):
            opened = database.open_table(name.removesuffix(".lance"))
            opened.create_index(VECTOR, config=made, replace=True)
        if recall.enough(recall.measure(table)):
            return


def _kinds(schema: pa.Schema) -> list[Callable[..., Any]]:
    """Return what an index may hold of a vector, in the order to try: all of it, or 2 or 8 bits.

    Refining costs more than it saves where vectors are short: 50,000 x 74 in 6.7 ms, not 11.2.
    HnswSq and IvfPq take minutes to build. Two bits a number are for tables whose features have 8,
    `embed.storage: int8`; Lance packs them where the numbers are a multiple of eight.
    """
    from lancedb.index import IvfFlat, IvfRq, IvfSq

    size = schema.field(VECTOR).type.list_size
    if size < _WIDE:
        return [IvfFlat]
    kinds = {field.name: field.type for field in schema}
    few = FEATURES in kinds and kinds[FEATURES].value_type == pa.int8() and size % 8 == 0
    two = partial(IvfRq, num_bits=2, target_partition_size=_EACH)
    return [two, IvfSq] if few else [IvfSq]


def partitions(rows: int) -> int | None:
    """Return into how many partitions so many rows go; None: as Lance has it, `_EACH` in each.

    Finding each row's takes rows x partitions x dimensions, and a search looks at rows / partitions
    for each that it reads: from a million rows on, half of the growth goes to either.
    """
    fewer = math.isqrt(rows) // 8
    return fewer if fewer < rows // _EACH else None


def _end_with_parent() -> None:
    os.read(0, 1)  # nothing is ever sent; not sys.stdin, whose lock an interpreter's end waits for
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    {"vectors": _make, "keys": _extend_keys}[sys.argv[1]](Path(sys.argv[2]))
