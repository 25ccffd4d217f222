"""Figures of searching: the latency of a query in a warm process."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from operator import itemgetter
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks import datasets
from benchmarks.measure import Figure, seconds
from benchmarks.serving import TEXTS, new_labels, world
from flows import Workspace
from tasks.core.workspace.files import read_json
from tasks.core.workspace.paths import Paths

QUERIES = 50
ROUNDS = 8  # in turns; the best counts, for other users of the machine only ever add to a search
TYPED = 8  # words of a query as people type it


class _Stopwatch:
    """Seconds spent in single methods of living objects."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = defaultdict(list)

    def watch(self, owner: Any, method: str, name: str) -> None:
        original: Callable[..., Any] = getattr(owner, method)

        def timed(*args: Any, **kwargs: Any) -> Any:
            begun = time.perf_counter()
            try:
                return original(*args, **kwargs)
            finally:
                self.spent[name].append(time.perf_counter() - begun)

        setattr(owner, method, timed)


def search(data: Path, folder: Path) -> Figure:
    """Time searches by texts that are not in the corpus, in a view and in the generic space."""
    root, _ = world(data, folder)
    if not Workspace(root).views:
        new_labels(data, folder)
    name = next(view for view in Workspace(root).views if view.startswith("topic"))
    texts = datasets.read(data, "agnews_partial")["text"][TEXTS : TEXTS + QUERIES].to_list()
    lengths = {
        f"{TYPED} words": [" ".join(text.split()[:TYPED]) for text in texts],
        "news length": texts,
    }
    rounds: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for _ in range(ROUNDS):
        for length, queries in lengths.items():
            for view in (name, "base"):
                what = f"{'view' if view == name else 'base'}, {length}"
                rounds[what].append(_latency(root, view, queries))
    best = {what: min(taken, key=itemgetter("median")) for what, taken in rounds.items()}
    rows = (read_json(Paths(root).stamp("embed")) or {})["rows"]
    return Figure(
        f"search at {rows:,} rows, warm process, {QUERIES} queries as typed, and as long as news,"
        f" best of {ROUNDS} rounds",
        "< 30 ms",
        "; ".join(_said(what, taken, rounds[what]) for what, taken in best.items()),
        all(taken["median"] < 30 for what, taken in best.items() if "words" in what),
        dict(rounds),
    )


def _said(what: str, best: dict[str, Any], rounds: list[dict[str, Any]]) -> str:
    parts = ", ".join(f"{part} {ms:.1f}" for part, ms in best["parts"].items())
    medians = ", ".join(f"{taken['median']:.1f}" for taken in rounds)
    return (
        f"{what} ({best['dimensions']} dims): median {best['median']:.1f},"
        f" p95 {best['p95']:.1f} ms ({parts}); medians of all rounds {medians}"
    )


def _latency(root: Path, view: str, queries: list[str]) -> dict[str, Any]:
    opened = Workspace(root).view(view)
    for text in queries[:5]:
        opened.hits(text)
    space = opened.space
    now = space.now()
    watch = _Stopwatch()
    watch.watch(space, "now", "follow versions")
    watch.watch(space, "point", "encode and transform")
    watch.watch(now.rows, "nearest", "search")
    watch.watch(now.texts, "texts_of", "texts")
    taken = [1_000 * seconds(lambda t=text: opened.hits(t)) for text in queries]
    return {
        "dimensions": opened.vectors().shape[1],
        "median": median(taken),
        "p95": float(np.percentile(taken, 95)),
        "parts": {part: 1_000 * median(spent) for part, spent in watch.spent.items()},
    }
