"""The index of the vectors is made and measured: of many rows in a process of its own.

Lance takes some 600 MB for that, which would come on top of an encoder; a process of its own gives
it all back. Run as a script with a table's address, this file is that process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from tasks.core.remote.driving import driving
from tasks.core.remote.pointers import location_of
from tasks.core.store import recall
from tasks.core.store.tables import VECTOR, count, open_table

APART = 50_000  # rows from which the index is made in a process of its own: a second to start
_WIDE = 256  # dimensions from which an index holds rounded vectors: half the bytes to read
_SAMPLE = 64  # vectors per partition whose means are sought; of 256, 480 MB are held at 10⁷ x 384
_SPARING = {
    "MALLOC_ARENA_MAX": "1",  # glibc: 150 MB less at 400,000 rows, in the same time
    "LANCE_SHUFFLE_BATCH_BYTES": str(32 << 20),  # held until they are sorted by partition; not 128
}


def make(table: Path) -> None:
    """Make the index of the vectors anew and measure it."""
    if count(table) < APART:
        _make(table)
        return
    command = [sys.executable, "-P", "-m", __name__, str(table)]
    sparing = {**_SPARING, **os.environ}
    # It ends with this one, even if that is killed: then its input ends, and nobody writes on.
    with subprocess.Popen(
        command, env=sparing, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        said = [line.strip() for line in process.stderr or () if line.strip()]
    if process.returncode:
        last = said[-1] if said else f"exit code {process.returncode}"
        raise RuntimeError(f"{table}: its index could not be made: {last}")


def _make(table: Path) -> None:
    import lancedb
    from lancedb.index import IvfFlat, IvfSq

    where = location_of(table)
    folder, _, name = where.uri.rpartition("/")
    database = lancedb.connect(folder, storage_options=where.options)
    # Refining costs more than it saves where vectors are short: 50,000 x 74 in 6.7 ms, not 11.2.
    # IvfRq recalls 0.98 at 50,000 x 384, HnswSq and IvfPq take minutes to build.
    size = open_table(table).schema.field(VECTOR).type.list_size
    kind = IvfSq if size >= _WIDE else IvfFlat
    made = kind(distance_type="cosine", sample_rate=_SAMPLE)
    with driving(table):
        opened = database.open_table(name.removesuffix(".lance"))
        opened.create_index(VECTOR, config=made, replace=True)
    recall.measure(table)


def _end_with_parent() -> None:
    os.read(0, 1)  # nothing is ever sent; not sys.stdin, whose lock an interpreter's end waits for
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _make(Path(sys.argv[1]))
