"""What a lazy view finds of what a full one does, how long it takes, and what each has on disk.

    python -m benchmarks.lazy real  --data FOLDER [--keep DIR] [--labels 300,3000] [--json FILE]
    python -m benchmarks.lazy scale ROOT [--queries 20] [--json FILE]

`real`: aspects of real sets, encoded as for `quality`. The held-out texts but a hundred are the
corpus, the hundred are asked for. `scale`: ROOT is a workspace of `benchmarks.scale`, as it leaves
in its folder, with full views; they are asked as if they were lazy, and stay as they are.

For each number of candidates: the share of the view's ten nearest texts that are found (ties
count), and how far the mean cosine of the ten found lies below theirs.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks import datasets
from benchmarks.encoded import encoded, spoken
from benchmarks.machine import one_line
from benchmarks.measure import both_clocks, say, size_of
from benchmarks.quality import ASPECTS, KEPT
from benchmarks.recall import TIE, K, tenth_best
from benchmarks.synthetic import queries
from benchmarks.trials import SEED, stratified
from flows.queries.workspace import Workspace
from flows.state.live_transform import live_transform
from tasks.core.numerics.rows import unit_rows
from tasks.core.settings.params import Params
from tasks.core.store.answers import NearRow
from tasks.core.store.searcher import Searcher
from tasks.core.transforms.base import fit
from tasks.core.transforms.training_set import BACKGROUND
from tasks.core.views import lazy_search
from tasks.core.views.lazy_search import LazySearcher, Point
from tasks.core.views.transforming import reader_of
from tasks.core.workspace.manifests import ViewNote

NOTE = ViewNote(storage="float16")
CANDIDATES = (100, 300, 1_000, 3_000, 10_000)
REAL = (
    "airline_tweets.sentiment",
    "clinc150.intent",
    "banking77.intent",
    "crisislex_t26.event_type",
    "reuters21578.topic",
    "goemotions.ekman",
)
ASKED = 100  # texts of a real set that are asked for


def real(asked: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield the figures of each aspect and number of labels."""
    for name, aspect in (one.split(".") for one in asked.aspects):
        every = {one: datasets.split(asked.data, name, one) for one in ASPECTS[name]}
        codes, split = encoded(asked.data, name, list(every.values()), asked.keep), every[aspect]
        said = spoken(name, split, asked.keep)
        names = tuple(sorted({*split.labelled["label"], *split.held_out["label"]}))
        y = np.searchsorted(names, split.labelled["label"].to_list())
        for many in asked.labels:
            rows = stratified(y, max(many, 2 * len(names)))
            view = _view(codes, split, rows, (names, y[rows], said))
            for candidates in CANDIDATES:
                yield {"aspect": f"{name}.{aspect}", "labels": len(rows), **view(candidates)}


def _view(codes: Any, split: datasets.Split, rows: np.ndarray, labels: tuple[Any, ...]) -> Any:
    """Fit; return what tells the recall of so many candidates."""
    names, y, said = labels
    known, scored = (codes.of(part) for part in (split.labelled, split.held_out))
    texts = [part["text"].to_list() for part in (split.labelled, split.held_out)]
    made = fit(
        "auto",
        known[0][rows],
        y,
        names,
        scored[0][:BACKGROUND],
        Params().fit.method_settings(),
        SEED,
        known[1][rows],
        beside=scored[1][:BACKGROUND],
        names=said,
        texts=[texts[0][at] for at in rows],
    )
    seen = unit_rows(made.apply(*scored, texts[1]).vectors)
    base, order = scored[0], np.random.default_rng(SEED).permutation(len(seen))
    ask, corpus = order[:ASKED], order[ASKED:]
    near, cosines = base[ask] @ base[corpus].T, seen[ask] @ seen[corpus].T
    best = np.sort(cosines, axis=1)[:, -K:]

    def view(candidates: int) -> dict[str, Any]:
        taken = np.argsort(-near, axis=1)[:, :candidates]
        found = np.sort(np.take_along_axis(cosines, taken, axis=1), axis=1)[:, -K:]
        return {
            "rows": len(corpus),
            "candidates": candidates,
            "recall": float((found >= best[:, :1] - TIE).mean()),
            "behind": float(best.mean() - found.mean()),
        }

    return view


def scale(asked: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield the figures of each view of a workspace, full and lazy."""
    workspace = Workspace(asked.root)
    for name in workspace.views:
        space, transform = workspace.view(name).space, live_transform(workspace.paths, name)
        now = space.now()
        points = [space.point(now, text) for text in queries(asked.queries)]
        floor = tenth_best(now.stored._rows, np.stack([point.vector for point in points]), None)
        about = {"view": name, "rows": now.texts.total}
        stored = [partial(_stored, now.stored, point) for point in points]
        yield about | {"mode": "full"} | _cost(stored)[0]
        for candidates in CANDIDATES:
            lazy = _lazy(now.texts, transform, candidates)
            cost, hits = _cost([partial(lazy.nearest_to, p, K, None, ["id"]) for p in points])
            found = np.array([[hit.score for hit in one] for one in hits])
            recall = float((found >= floor[:, None] - TIE).mean())
            yield about | {"mode": "lazy", "candidates": candidates, "recall": recall} | cost
        wall, cpu = both_clocks(partial(_all, now.texts, transform))
        yield about | {"mode": "lazy, every row", "ms": 1_000 * wall, "cpu_ms": 1_000 * cpu}
        sizes = {"table": workspace.paths.view_table(name), "transform": transform}
        yield about | {f"bytes of its {what}": size_of(place) for what, place in sizes.items()}


def _stored(rows: Searcher, point: Point) -> list[NearRow]:
    return rows.nearest(point.vector, K, None, ["id"])


def _lazy(texts: Searcher, transform: Path, candidates: int) -> LazySearcher:
    """Return a lazy view over the same base table, of so many candidates."""
    lazy_search.CANDIDATES = lazy_search.MOST = candidates
    lazy_search.EXACT = 0
    return LazySearcher(texts, texts, reader_of(transform, light=True), NOTE)


def _all(texts: Searcher, transform: Path) -> int:
    """Make every row; return how many."""
    return sum(rows.num_rows for rows in _lazy(texts, transform, 0).made(None))


def _cost(ask: list[Any]) -> tuple[dict[str, float], list[Any]]:
    ask[0]()
    taken, used, found = [], [], []
    for one in ask:
        begun, cpu = time.perf_counter(), time.process_time()
        found.append(one())
        taken.append(time.perf_counter() - begun)
        used.append(time.process_time() - cpu)
    return {"ms": 1_000 * median(taken), "cpu_ms": 1_000 * median(used)}, found


def main() -> None:
    """Measure, print a line a figure, and note them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parts = parser.add_subparsers(dest="part", required=True)
    one = parts.add_parser("real")
    one.add_argument("--data", type=Path, required=True)
    kept = os.environ.get(KEPT, ".quality")
    one.add_argument("--keep", type=Path, default=Path(kept), help=f"or {KEPT}")
    one.add_argument("--aspects", type=lambda said: said.split(","), default=list(REAL))
    one.add_argument("--labels", type=lambda said: [int(n) for n in said.split(",")], default=[300])
    other = parts.add_parser("scale")
    other.add_argument("root", type=Path)
    other.add_argument("--queries", type=int, default=20)
    for each in (one, other):
        each.add_argument("--json", type=Path)
    asked = parser.parse_args()
    found = []
    for row in (real if asked.part == "real" else scale)(asked):
        say(str(row))
        found.append(row)
    print(one_line())
    names = list(dict.fromkeys(name for row in found for name in row))
    print(f"\n| {' | '.join(names)} |\n|{'---|' * len(names)}")
    for row in found:
        print(f"| {' | '.join(_shown(row.get(name)) for name in names)} |")
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.1f}" if value > 2 else f"{value:.3f}"
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    main()
