"""What tables in an object store cost beside a disk's: bytes for DVC, commits and searches.

    python -m benchmarks.store [--rows 20000] [--folder FOLDER]

The same workspace twice, of random words and a tiny static encoder of 384 dimensions: on this disk,
and in an S3 server on loopback. Searches and commits are taken in turns.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path
from statistics import median

import pyarrow as pa

from benchmarks.growth import Growth, used
from benchmarks.machine import one_line
from benchmarks.measure import MIB, both_clocks, say
from flows import Workspace
from tasks.core.store import tables
from tasks.core.workspace.paths import Paths
from tests.buckets import KEYS, Bucket
from tests.world import set_params

QUERIES = 30
COMMITS = 10
ROWS = 1_000  # of a commit


def search(root: Path, text: str) -> tuple[float, float]:
    """Return wall and processor seconds of one search in a view that is open."""
    view = Workspace(root).view("first")
    view.hits(text)
    return both_clocks(lambda: view.hits(text))


def commit(root: Path) -> tuple[float, float]:
    """Return wall and processor seconds of rows written to the base table, and of their commit."""
    table = Paths(root).base_table
    rows = next(tables.batches(table, tables.open_table(table).schema.names, rows=ROWS))

    def work() -> None:
        made = tables.write_fragments(table, pa.table(rows), {}, fresh=False)
        tables.commit_changes(table, [], made)

    return both_clocks(work)


def in_turns(places: dict[str, Path]) -> dict[str, object]:
    """Return medians of searches and commits in milliseconds, by place."""
    taken: dict[str, list[tuple[float, float]]] = {}
    for turn in range(QUERIES):
        for name, root in places.items():
            taken.setdefault(f"search, {name}", []).append(search(root, f"parcel refund {turn}"))
    for _ in range(COMMITS):
        for name, root in places.items():
            taken.setdefault(f"commit of {ROWS:,} rows, {name}", []).append(commit(root))
    clocks = ("wall_ms", "processor_ms")
    return {
        what: {
            clock: round(1_000 * median(each[at] for each in found), 1)
            for at, clock in enumerate(clocks)
        }
        for what, found in taken.items()
    }


def main() -> None:
    """Measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--folder", type=Path, help="where to work; default: a temporary folder")
    chosen = parser.parse_args()
    os.environ.update(KEYS)
    with tempfile.TemporaryDirectory(dir=chosen.folder) as name:
        folder = Path(name)
        bucket = Bucket(folder / "s3")
        try:
            found: dict[str, object] = {}
            places = {}
            for place in ("disk", "store"):
                (folder / place).mkdir()
                world = Growth(folder / place, chosen.rows)
                if place == "store":
                    set_params(world.root, store=bucket.settings())
                say(place)
                found[place], places[place] = world.measure(), world.root
            found["in turns"] = in_turns(places)
            found["store_mib"] = used(bucket.folder) / MIB
        finally:
            bucket.stop()
    print(json.dumps({"machine": one_line(), **found}, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
