"""What maps cost, and how far rows move on them: first, after a refit, after a change.

Usage: python -m benchmarks.maps [--rows N ...] [--folder DIR]

Views of synthetic rows around forty centres, by a transform fitted to 300 labels and by one fitted
to 330. Each map is made in a process of its own, one thread. At a million rows it needs 0.5 GB.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.machine import one_line
from benchmarks.measure import both_clocks, in_child, peak_mib, say
from tasks.core.atlas import kept
from tasks.core.atlas.coordinates import Source, coordinates
from tasks.core.settings.params import Params
from tasks.core.store import arrow, tables
from tasks.core.transforms.base import Transform, fit

ROWS = (1_600, 50_000, 1_000_000)
CLASSES, DIMENSIONS = 40, 384
LABELS = {"1": 300, "2": 330}  # texts with a label of each fit
PART = 50_000
HERE = __spec__.name  # also where this is the program
CHANGED = 100  # rows that come


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--rows", type=int, nargs="+", default=ROWS)
    ask.add_argument("--folder", type=Path)
    asked = ask.parse_args()
    lines = []
    for rows in asked.rows:
        with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
            lines.append(_line(rows, folder))
        say(lines[-1])
    print(f"\n{one_line()}\n")
    print(
        "| rows | the base vectors | a view | found again | 100 more rows | a refit"
        " | rows move by | without the earlier map |"
    )
    print("|--:|--:|--:|--:|--:|--:|--:|--:|")
    print("\n".join(lines))


def _line(rows: int, folder: str) -> str:
    say(f"{rows:,} rows: writing a base table and a view")
    in_child(HERE, "write", rows=rows, folder=folder, labels=0)
    in_child(HERE, "write", rows=rows, folder=folder, labels=LABELS["1"])
    base = in_child(HERE, "make", folder=folder, name="base", number="0")
    first = in_child(HERE, "make", folder=folder, name="view", number="1")
    again = in_child(HERE, "make", folder=folder, name="view", number="1")
    in_child(HERE, "write", rows=rows + CHANGED, folder=folder, labels=LABELS["1"])
    grown = in_child(HERE, "make", folder=folder, name="view", number="1")
    in_child(HERE, "write", rows=rows + CHANGED, folder=folder, labels=LABELS["2"])
    refit = in_child(HERE, "make", folder=folder, name="view", number="2")
    moved = in_child(HERE, "movement", folder=folder)
    say(str(moved))
    cells = (
        f"{found['cpu']:.1f} s, {found['peak']:,.0f} MiB"
        for found in (base, first, again, grown, refit)
    )
    return f"| {rows:,} | {' | '.join(cells)} | {moved['aligned']:.3f} | {moved['anew']:.3f} |"


def write(rows: int, folder: str, labels: int) -> dict[str, int]:
    """Write a table of base vectors, or where `labels` texts have a label, of a view."""
    random = np.random.default_rng(0)
    centres = random.standard_normal((CLASSES, DIMENSIONS), np.float32)
    transform = _fitted(random, centres, labels) if labels else None
    parts: list[str] = []
    table = Path(folder) / ("view.lance" if labels else "base.lance")
    for start in range(0, rows, PART):
        made = _part(centres, start, min(PART, rows - start), transform)
        parts += tables.write_fragments(table, made, {}, fresh=True)
    tables.commit_whole(table, made.schema, {}, parts)
    return {"rows": rows}


def _fitted(random: Any, centres: np.ndarray, labels: int) -> Transform:
    x, y = _drawn(np.random.default_rng(1), centres, max(LABELS.values()))
    background, _ = _drawn(random, centres, 2_000)
    names = tuple(f"class {c:02}" for c in range(len(centres)))
    section = Params().fit.discriminant.model_dump(mode="json")
    return fit("discriminant", x[:labels], y[:labels], names, background, section, 1)


def _drawn(random: Any, centres: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    y = random.integers(len(centres), size=n)
    x = 0.3 * centres[y] + random.standard_normal((n, centres.shape[1]), np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True), y


def _part(centres: np.ndarray, start: int, n: int, transform: Transform | None) -> pa.Table:
    x, _ = _drawn(np.random.default_rng([2, start]), centres, PART)
    vectors, more = x[:n].astype(np.float16), {}
    if transform is not None:
        reading = transform.apply(vectors, None, None)
        vectors = reading.vectors
        more = {"label": pa.array(transform.labels, pa.string()).take(pa.array(reading.label))}
    ids = [f"r{row:09}" for row in range(start, start + n)]
    packed = arrow.vector_array(vectors, "float16")
    columns = {"id": pa.array(ids), "row_hash": pa.array(ids), tables.VECTOR: packed}
    return pa.table(columns | more)


def _source(folder: str, name: str, number: str) -> Source:
    table = Path(folder) / f"{name}.lance"
    return Source(table, tables.version(table), number)


def make(folder: str, name: str, number: str) -> dict[str, float]:
    """Make or find the map of a table's latest version; return what that took."""
    before, source = peak_mib(), _source(folder, name, number)
    maps = Path(folder) / "maps"
    base = kept.latest(maps / "base") if name == "view" else None
    clock, cpu = both_clocks(lambda: coordinates(source, maps / name, towards=base))
    return {"clock": clock, "cpu": cpu, "peak": peak_mib(), "start": before}


def movement(folder: str) -> dict[str, float]:
    """Return how far rows lie, in the mean, from where they lay before the refit.

    Of rows whose label stayed: the distance on a map whose sides are 2, as it was made, and as it
    would be made without the earlier map, turned towards the base vectors' alone.
    """
    maps, newest = Path(folder) / "maps", _source(folder, "view", "2")
    versions = (replace(newest, version=newest.version - 1), newest)
    before, after = (kept.read(maps / "view", each.state) for each in versions)
    if before is None or after is None:
        raise SystemExit("maps: not kept")
    alone = coordinates(newest, None, towards=kept.latest(maps / "base"))
    labels = [
        tables.hashes(each.table, "label", each.version)[made.rows.row]
        for each, made in zip(versions, (before, after), strict=True)
    ]
    same = labels[0] == labels[1]

    def moved(places: np.ndarray) -> float:
        return float(np.linalg.norm(places - before.places, axis=1)[same].mean())

    return {"same": float(same.mean()), "aligned": moved(after.places), "anew": moved(alone.places)}


if __name__ == "__main__":
    main()
