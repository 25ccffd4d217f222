"""What each value of `embed.storage` takes, finds and costs, on the texts of seven real sets.

    python -m benchmarks.codes table --data FOLDER [--keep DIR] [--json FILE]
    python -m benchmarks.codes many  --data FOLDER [--json FILE]
    python -m benchmarks.codes lazy  --data FOLDER [--keep DIR] [--json FILE]
    python -m benchmarks.codes views --data FOLDER [--keep DIR] [--labels 300,3000] [--json FILE]
    python -m benchmarks.codes changed --data FOLDER [--keep DIR] [--labels …] [--aspects NAME,…]

`table`: a base table of all texts but fifty, which are asked for: bytes a row, memory, recall@10
against every row looked at, processor ms. `many`: of a million synthetic rows. `lazy`: what a lazy
view finds among the candidates of each table's index. `views`: scores of 14 aspects by features of
each type. `changed`: of views fitted on features of one type and made from those of another, as
after an `embed --rebuild` to another storage.
Encoded as for `quality`: what was kept is float16, so float32 shows bytes and times alone.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl

from benchmarks import datasets, synthetic
from benchmarks.encoded import Codes, encoded, spoken
from benchmarks.figures import Figures, judged
from benchmarks.machine import one_line
from benchmarks.measure import in_child, say, size_of, status_kib
from benchmarks.quality import ASPECTS, KEPT, fitted
from benchmarks.recall import FILTERS, TIE, K, tenth_best
from benchmarks.trials import SEED, Coded, Trial, trials
from tasks.core.evaluation.metrics import clusterings
from tasks.core.numerics.rows import unit_rows
from tasks.core.settings.table_sections import KINDS
from tasks.core.store import arrow, index, recall, tables
from tasks.core.store.making import of_column
from tasks.core.store.searcher import Searcher
from tasks.core.views.lazy_search import CANDIDATES

ASKED, MANY = 50, 1_000_000
STARTS = (0, 3, 6, 9)  # of k-means, each with the two after it
SCORED = 2_000  # held-out texts of an aspect at most
LABELS = [300, 3_000]
LAZY = ("clinc150.intent", "reuters21578.topic", "goemotions.ekman", "airline_tweets.sentiment")
CHANGED, FEWER = ["newsgroups20_part.newsgroup", "airline_tweets.sentiment"], 1_500
METHOD = "auto"
COLUMNS = ("id", "text_hash", tables.VECTOR)  # those that have indices


def table(asked: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what each table takes, and what a search of it finds and costs."""
    yield from _weighed(_every(asked), KINDS)


def many(_: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield the same of a million synthetic rows."""
    yield from _weighed(Codes({}, *synthetic.codes(MANY + ASKED)), ("int8", "float16"))


def _weighed(codes: Codes, storages: Iterable[str]) -> Iterator[dict[str, Any]]:
    ask, rows = _drawn(len(codes.vectors))
    queries = codes.vectors[ask].astype(np.float32)
    for storage in storages:
        with _made(codes, rows, storage) as made:
            dataset = tables.open_table(made)
            least = {said: tenth_best(dataset, queries, where) for said, where in FILTERS.items()}
            np.savez(made.parent / "asked.npz", queries=queries, **least)
            found = in_child("benchmarks.codes", "searched", table=made)
            yield {"storage": storage, "rows": len(rows), **_bytes(made, len(rows)), **found}


def searched(table: str) -> dict[str, Any]:
    """Open a table and search it: MiB that this takes, recall@10, processor ms, by filter."""
    asked = np.load(Path(table).parent / "asked.npz")
    before = status_kib("VmRSS", "self") or 0
    searcher, found = Searcher(Path(table), live=False), dict[str, Any]()
    for said, where in FILTERS.items():
        taken, shares = [], []
        for turn in range(2):  # the first opens what is opened once
            for query, at_least in zip(asked["queries"], asked[said], strict=True):
                begun = time.process_time()
                hits = searcher.nearest(query, K, where, ["id"])
                if turn:
                    taken.append(time.process_time() - begun)
                    shares.append(sum(hit.score >= at_least - TIE for hit in hits) / K)
        found |= {f"recall, filter {said}": round(mean(shares), 4)}
        found |= {f"CPU ms, filter {said}": round(1_000 * median(taken), 1)}
    return {"MiB": round(((status_kib("VmRSS", "self") or 0) - before) / 1024), **found}


def lazy(asked: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield the recall@10 of a view of all rows among the candidates by each table's index."""
    codes = _every(asked)
    ask, rows = _drawn(len(codes.vectors))
    both = unit_rows(codes.vectors), unit_rows(codes.features)
    views = {
        name: unit_rows(fitted(METHOD, trial, said, ["words"]).apply(*both).vectors)
        for name, trial, said in _trials(asked, [300], LAZY, "float16")
    }
    for storage in KINDS:
        with _made(codes, rows, storage) as made:
            searcher = Searcher(made, live=False)
            asks = (codes.vectors[at] for at in ask)
            found = [searcher.candidates(one, CANDIDATES, None, ["id"])["id"] for one in asks]
            near = [ids.to_numpy(zero_copy_only=False).astype(np.int64) for ids in found]
        for name, seen in views.items():
            shares = []
            for at, candidates in zip(ask, near, strict=True):
                best = np.sort(seen[rows] @ seen[at])[-K]
                least = np.sort(seen[candidates] @ seen[at])[-K:]
                shares.append((least >= best - TIE).mean())
            recalled = round(float(mean(shares)), 4)
            yield {"storage": storage, "view": name, "candidates": len(near[0]), "recall": recalled}


def views(asked: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield the scores of views of each aspect by features of each type."""
    every = [f"{name}.{aspect}" for name, aspects in ASPECTS.items() for aspect in aspects]
    for storage in ("float16", "int8"):
        for name, trial, said in _trials(asked, asked.labels, every, storage):
            made = fitted(METHOD, trial, said, [])
            known = np.array([int(label) for label in made.labels])
            reading = made.apply(*trial.scored)
            scores = _scores(judged(reading, known, trial.truth))
            scores["V, twelve starts"] = _v_measure(reading.vectors, trial.truth)
            yield {"storage": storage, "aspect": name, "labels": trial.part, **scores}


def changed(asked: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield the scores of views made from features of each type, fitted on the same or another."""
    kinds = {storage: KINDS[storage][1] for storage in ("float16", "int8")}
    for name, trial, said in _some(asked):
        given = {storage: _stored(trial, kind) for storage, kind in kinds.items()}
        for fitted_on, own in given.items():
            made = fitted(METHOD, own, said, [])
            for storage, other in given.items():
                found = judged(made.apply(*other.scored), np.arange(trial.classes), trial.truth)
                about = {"fitted on": fitted_on, "storage": storage, "aspect": name}
                yield {**about, "labels": trial.part, **_scores(found)}


def _some(asked: argparse.Namespace) -> Iterator[tuple[str, Trial, np.ndarray]]:
    for aspect in asked.aspects:
        name, _, own = aspect.partition(".")
        whole = datasets.split(asked.data, name, own)
        split = replace(whole, held_out=whole.held_out[:FEWER])
        codes = encoded(asked.data, name, [split], asked.keep)
        for trial in trials(codes, split, asked.labels, ["labels"]):
            yield aspect, trial, spoken(name, split, asked.keep)


def _stored(trial: Trial, kind: str) -> Trial:
    def rounded(codes: Coded) -> Coded:
        return codes[0], unit_rows(arrow.rounded(codes[1], kind)), codes[2]

    known, corpus, scored = map(rounded, (trial.known, trial.corpus, trial.scored))
    return replace(trial, known=known, corpus=corpus, scored=scored)


def _scores(found: Figures) -> dict[str, float]:
    scores = {"V": found.v_measure, "triplets": found.triplets, "kNN@10": found.knn}
    return {**scores, "right": found.accuracy or 0.0}


def _v_measure(vectors: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean of more starts of k-means: of three, where one ends is luck."""
    from sklearn.metrics import v_measure_score

    y = np.unique(truth, return_inverse=True)[1]
    runs = [run for seed in STARTS for run in clusterings(vectors, int(y.max()) + 1, seed)]
    return 100 * mean(float(v_measure_score(y, run)) for run in runs)


def _trials(
    asked: argparse.Namespace, labels: list[int], aspects: Any, storage: str
) -> Iterator[tuple[str, Trial, np.ndarray]]:
    for name, some in ASPECTS.items():
        every = {one: datasets.split(asked.data, name, one) for one in some}
        codes = encoded(asked.data, name, list(every.values()), asked.keep)
        codes = replace(codes, features=arrow.rounded(codes.features, KINDS[storage][1]))
        for aspect in (one for one in some if f"{name}.{one}" in aspects):
            split = every[aspect]
            cut = replace(split, held_out=split.held_out[:SCORED])
            for trial in trials(codes, cut, labels, ["labels"]):
                yield f"{name}.{aspect}", trial, spoken(name, split, asked.keep)


def _every(asked: argparse.Namespace) -> Codes:
    """Return the codes of all texts of all sets."""
    parts = []
    for name, aspects in ASPECTS.items():
        splits = [datasets.split(asked.data, name, one) for one in aspects]
        parts.append(encoded(asked.data, name, splits, asked.keep))
    return Codes(
        {},
        np.concatenate([part.vectors for part in parts]),
        np.concatenate([part.features for part in parts]),
    )


def _drawn(many: int) -> tuple[np.ndarray, np.ndarray]:
    order = np.random.default_rng(SEED).permutation(many)
    return order[:ASKED], np.sort(order[ASKED:])


@contextmanager
def _made(codes: Codes, rows: np.ndarray, storage: str) -> Iterator[Path]:
    """Make a base table, with its indices, of the texts at `rows`; a row's id is where it is."""
    say(f"{storage}: {len(rows):,} rows are written and indexed")
    keys = pl.DataFrame({"id": [str(at) for at in rows], "bucket": rows % 100})
    keys = keys.with_columns(pl.col("id").hash(0).cast(pl.String).alias("text_hash"))
    vectors, features = KINDS[storage]
    made = arrow.assemble(
        keys,
        {
            tables.VECTOR: arrow.vector_array(codes.vectors[rows], vectors),
            tables.FEATURES: arrow.vector_array(codes.features[rows], features),
        },
    )
    with TemporaryDirectory() as folder:
        path = Path(folder) / "base.lance"
        fragments = tables.write_fragments(path, made, {}, fresh=True)
        tables.commit_whole(path, made.schema, {}, fragments)
        index.index(path, 1_000)
        yield path


def _bytes(table: Path, rows: int) -> dict[str, Any]:
    """Return bytes a row of the columns, the vectors' index and the keys' indices; the note."""
    dataset = tables.open_table(table)
    each = {
        column: sum(
            size_of(table / "_indices" / str(segment.uuid))
            for segment in of_column(dataset, column).segments
        )
        for column in COLUMNS
    }
    note, made = recall.probes(dataset), recall.vector_index(dataset)
    data, nearest = size_of(table / "data"), each.pop(tables.VECTOR)
    found = {"columns": data, "index": nearest, "keys": sum(each.values())}
    found["all"] = sum(found.values())
    assert note is not None
    return {
        **{said: round(size / rows) for said, size in found.items()},
        "kind": made.index_type,
        "probes": f"{note.nprobes}, {note.nprobes_filtered} of {note.partitions}",
        "measured": f"{note.recall}, {note.recall_filtered}",
    }


def _means(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the means over aspects, for each number of labels and storage."""
    own: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in found:
        own.setdefault((row["labels"], row["storage"]), []).append(row)
    scores = [name for name, value in found[0].items() if isinstance(value, float)]
    return [
        {"storage": storage, "labels": labels, "aspects": len(rows)}
        | {name: round(mean(row[name] for row in rows), 2) for name in scores}
        for (labels, storage), rows in sorted(own.items())
    ]


def main() -> None:
    parts = {"table": table, "many": many, "lazy": lazy, "views": views, "changed": changed}
    keep = Path(os.environ.get(KEPT, ".quality"))
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("part", choices=parts)
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--keep", type=Path, default=keep, help=f"encoded texts; or set {KEPT}")
    parser.add_argument("--labels", type=lambda said: [int(one) for one in said.split(",")])
    parser.add_argument("--json", type=Path, help="write all figures to this file, too")
    parser.add_argument("--aspects", type=lambda said: said.split(","), default=CHANGED)
    parser.set_defaults(labels=LABELS)
    asked = parser.parse_args()
    datasets.require(asked.data, list(ASPECTS))
    found = []
    for row in parts[asked.part](asked):
        found.append(row)
        say(json.dumps(row))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    print(one_line())
    for row in _means(found) if asked.part == "views" else found:
        print(json.dumps(row))


if __name__ == "__main__":
    main()
