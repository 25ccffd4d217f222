"""Recall of searches by an index, against every row looked at; and how long both take."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.synthetic import queries
from flows.queries.workspace import Workspace
from tasks.core.store import arrow
from tasks.core.store.tables import VECTOR

K, ASKED, TIMED = 10, 50, 5
FILTERS = {"none": None, "1 %": "bucket = 7"}
TIE = 1e-4  # a cosine this much lower counts as equal: the search may have rounded


def recalls(root: str) -> list[dict[str, object]]:
    """Return recall@10 and milliseconds of the base and of each view, with and without a filter."""
    found: list[dict[str, object]] = []
    for name in ("base", *Workspace(root).views):
        for said, where in FILTERS.items():
            found.append({"table": name, "filter": said, **_recall(Path(root), name, where)})
    return found


def _recall(root: Path, name: str, where: str | None) -> dict[str, object]:
    """Ask by texts that are in no corpus; the exact answer is taken from the stored vectors."""
    space, texts = Workspace(root).view(name).space, queries(ASKED)
    asked = np.stack([space.vector(space.now(), text) for text in texts])
    table = space.now().rows._rows
    least = tenth_best(table, asked, where)
    for text in texts[:TIMED]:
        space.search(text, K, where)  # opens what is opened once
    taken, shares = [], []
    for text, at_least in zip(texts, least, strict=True):
        begun = time.perf_counter()
        hits = space.search(text, K, where)
        taken.append(time.perf_counter() - begun)
        shares.append(sum(hit.score >= at_least - TIE for hit in hits) / K)
    return {
        "rows": table.count_rows(where),
        "dimensions": asked.shape[1],
        "recall": float(np.mean(shares)),
        "worst": min(shares),
        "ms": 1_000 * median(taken),
        "exact_ms": 1_000 * median(_exact_seconds(table, one, where) for one in asked[:TIMED]),
    }


def tenth_best(table: object, asked: np.ndarray, where: str | None) -> np.ndarray:
    """Return the cosine of the tenth nearest row for each of `asked`, by all rows of the table."""
    best = np.full((len(asked), K), -2.0, np.float32)
    units = asked / np.linalg.norm(asked, axis=1, keepdims=True)
    batches = table.to_batches(columns=[VECTOR], filter=where)  # type: ignore[attr-defined]
    for batch in batches:
        vectors = arrow.vectors_of(batch.column(VECTOR)).astype(np.float32)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        both = np.concatenate((best, units @ vectors.T), axis=1)
        best = np.partition(both, both.shape[1] - K, axis=1)[:, -K:]
    return best.min(axis=1)


def _exact_seconds(table: object, vector: np.ndarray, where: str | None) -> float:
    near = {"column": VECTOR, "q": vector.astype(np.float32), "k": K, "metric": "cosine"}
    begun = time.perf_counter()
    table.to_table(  # type: ignore[attr-defined]
        columns=["id", "_distance"],
        nearest=near | {"use_index": False},
        filter=where,
        prefilter=True,
    )
    return time.perf_counter() - begun
