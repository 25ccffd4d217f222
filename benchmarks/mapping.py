"""Figures of the maps: how long a fit takes, and how fast a view is written."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks import datasets
from benchmarks.encoding import decided
from benchmarks.measure import (
    MIB,
    Figure,
    in_child,
    no_progress,
    peak_mib,
    say,
    seconds,
    size_of,
)
from tasks.core.settings.params import Params
from tasks.core.store import arrow, checkpoints, tables
from tasks.core.store import index as nearest
from tasks.core.transforms.base import fit, save
from tasks.core.transforms.training_set import BACKGROUND
from tasks.core.views import publishing

ASPECTS = ("sentiment", "negative_reason")
ROWS = 2_000_000
CLASSES = 10
DIMENSIONS = 384
INDEX_LIMIT = 180.0  # seconds
BARE = 4  # every fourth shard is repeated as a bare matrix product
WRITTEN = 100_000  # rows of a fragment of the synthetic base table


def fits(data: Path, _: Path) -> Figure:
    """Time both methods on the same labels: closed form three times before and after the other."""
    ratios, detail = [], {}
    for aspect in ASPECTS:
        labelled = datasets.split(data, "airline_tweets", aspect).labelled
        say(f"fit: encoding {len(labelled):,} texts of {aspect}")
        x = decided(labelled["text"].to_list()).encode(labelled["text"].to_list(), no_progress)
        times = _times(x.vectors, labelled["label"].to_list())
        ratios.append(times["gstransform"] / times["discriminant"])
        detail[aspect] = times
        say(f"fit {aspect}: {times}")
    said = "; ".join(
        f"{aspect}: {times['discriminant']:.3f} s against {times['gstransform']:.1f} s,"
        f" 1/{times['gstransform'] / times['discriminant']:,.0f}"
        for aspect, times in detail.items()
    )
    return Figure(
        "fit discriminant ÷ fit gstransform, 3,000 labels, 384 dimensions",
        "≤ 1/50",
        said,
        min(ratios) >= 50,
        detail,
    )


def _times(x: np.ndarray, labels: list[str]) -> dict[str, float]:
    names = tuple(sorted(set(labels)))
    y = np.array([names.index(label) for label in labels])
    background = x[:BACKGROUND]

    def one(method: str) -> float:
        section = getattr(Params().fit, method).model_dump(mode="json")
        return seconds(lambda: fit(method, x, y, names, background, section, 1))

    one("discriminant")
    closed = [one("discriminant") for _ in range(3)]
    published = one("gstransform")
    closed += [one("discriminant") for _ in range(3)]
    return {"discriminant": median(closed), "gstransform": published}


def materialise(_: Path, folder: Path) -> Figure:
    """Write a view of two million synthetic rows in a process of its own.

    Through the tasks' own functions (`materialise_shard.fn`, `publish_view.fn`): plan, read,
    transform, write, checkpoint, one commit. The index is timed apart.
    """
    say(f"materialise: writing {ROWS:,} synthetic base rows")
    in_child(__name__, "synthetic_base", folder=str(folder / "wide"))
    found = in_child(__name__, "write_view", folder=str(folder / "wide"))
    say(f"materialise: {found}")
    enough = found["rows_per_second"] >= 150_000 and found["peak_mib"] * MIB <= 1.5e9
    index = _index(folder / "wide")
    say(f"materialise: {index}")
    return Figure(
        f"materialise {ROWS:,} rows, {DIMENSIONS} float16 → {found['size']:.0f} float16",
        "≥ 150,000 rows/s, ≤ 1.5 GB",
        f"{found['rows_per_second']:,.0f} rows/s committed (median shard:"
        f" {found['shard_rows_per_second']:,.0f}; {found['rows_per_processor_second']:,.0f} a"
        f" second of one core; {found['of_bare_rate']:.2f} × a bare matrix product read from and"
        f" written to Lance), peak {found['peak_mib'] * MIB / 1e9:.2f} GB;"
        f" {index}",
        enough,
        {**found, "index": index},
    )


def _index(folder: Path) -> str:
    """Index the view in a process of its own, with a limit; return what became of it in words."""
    try:
        found = in_child(__name__, "write_index", limit=INDEX_LIMIT, folder=str(folder))
    except subprocess.TimeoutExpired:
        return f"its index was not done after {INDEX_LIMIT:.0f} s"
    peak = found["peak_mib"] * MIB / 1e9
    return f"its index takes {found['seconds']:.0f} s more, peak {peak:.2f} GB"


def write_index(folder: str) -> dict[str, float]:
    """Index the view as `publish_view` does from `materialise.index_from` rows on."""
    table = Path(folder) / "view.lance"
    taken = seconds(lambda: nearest.index(table, Params().materialise.index_from))
    return {"seconds": taken, "peak_mib": peak_mib()}


def synthetic_base(folder: str) -> dict[str, int]:
    """Write a base table of random unit vectors around ten centres, and a transform for them."""
    random, table = np.random.default_rng(1), Path(folder) / "base.lance"
    centres = random.standard_normal((CLASSES, DIMENSIONS), np.float32)
    fragments, schema = [], None
    for start, stop in checkpoints.ranges(ROWS, WRITTEN):
        x, _ = _drawn(random, centres, stop - start)
        keys = pa.array([f"{row:032x}" for row in range(start, stop)])
        rows = pa.table(
            {
                "id": pa.array([str(row) for row in range(start, stop)]),
                "text_hash": keys,
                "row_hash": keys,
                "text": pa.array([f"a text of no meaning, number {row}" for row in keys]),
                tables.VECTOR: arrow.vector_array(x, "float16"),
            }
        )
        schema = rows.schema
        fragments += tables.write_fragments(table, rows, {"fingerprint": "synthetic"}, fresh=True)
    tables.commit_whole(table, schema, {"fingerprint": "synthetic"}, fragments)
    x, y = _drawn(random, centres, 3_000)
    section = Params().fit.discriminant.model_dump(mode="json")
    names = tuple(f"class {c}" for c in range(CLASSES))
    made = fit("discriminant", x, y, names, x, section, 1)
    save(Path(folder) / "transform", made, {"fingerprint": "synthetic", "encoder": "synthetic"})
    return {"bytes": size_of(table)}


def _drawn(random: Any, centres: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    y = random.integers(len(centres), size=n)
    x = 0.12 * centres[y] + random.standard_normal((n, centres.shape[1]), np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True), y


def write_view(folder: str) -> dict[str, Any]:
    """Materialise as the flow does, without Prefect around it; return rates and peak memory."""
    from tasks.materialise import ViewJob, materialise_shard, publish_view

    settings = Params().materialise.model_copy(update={"index_from": ROWS + 1})
    place = Path(folder)
    table, view = place / "base.lance", place / "view.lance"
    version = tables.version(table)
    about = publishing.describe(place / "transform", settings.storage)
    before, laps = peak_mib(), []
    job = ViewJob(
        name="synthetic",
        base=table,
        base_version=version,
        view=view,
        transform=place / "transform",
        about=about,
        settings=settings,
        shards=checkpoints.begin(place / "shards"),
        whole=True,
        rows=ROWS,
    )
    written, bare = [], []
    begun, used, apart = time.perf_counter(), time.process_time(), [0.0, 0.0]
    todo = publishing.plan(table, version, view, about)
    for at, part in enumerate(checkpoints.slices(todo.rows, settings.chunk)):
        lap = time.perf_counter()
        written.append(materialise_shard.fn(job, part))
        laps.append(time.perf_counter() - lap)
        if at % BARE == 0:
            lap, before_bare = time.perf_counter(), time.process_time()
            _bare(table, place / "bare.lance", part.start, part.start + len(part.rows), about.size)
            bare.append((time.perf_counter() - lap) / laps[-1])
            apart[0] += time.perf_counter() - lap
            apart[1] += time.process_time() - before_bare
    rows = publish_view.fn(job, todo, written)
    return {
        "rows": rows,
        "rows_per_second": rows / (time.perf_counter() - begun - apart[0]),
        "rows_per_processor_second": rows / (time.process_time() - used - apart[1]),
        "of_bare_rate": median(bare),
        "shard_rows_per_second": settings.chunk / median(laps),
        "size": about.size,
        "start_mib": before,
        "peak_mib": peak_mib(),
    }


def _bare(table: Path, out: Path, start: int, stop: int, size: int) -> None:
    """Stream the same rows through one matrix product: what reading, mapping and writing cost."""
    matrix = np.random.default_rng(1).standard_normal((DIMENSIONS, size), np.float32)
    parts = []
    for batch in tables.batches(table, ["id", "row_hash", tables.VECTOR], start=start, stop=stop):
        z = arrow.vectors_of(batch.column(tables.VECTOR)).astype(np.float32) @ matrix
        columns = [batch.column("id"), batch.column("row_hash"), arrow.vector_array(z, "float16")]
        parts.append(pa.table(columns, names=["id", "row_hash", tables.VECTOR]))
    tables.write_fragments(out, pa.concat_tables(parts), {}, fresh=True)
