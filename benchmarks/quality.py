"""How well each method sees 14 aspects of real texts, on texts whose label no fit has seen.

Usage: python -m benchmarks.quality --data FOLDER [--keep DIR] [--json FILE] [--only PART ...]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import datasets
from benchmarks.encoded import Codes, encoded
from benchmarks.machine import machine, one_line
from benchmarks.measure import say
from benchmarks.outcomes import Outcome, tables
from tasks.core.evaluation.metrics import score
from tasks.core.settings.params import Params
from tasks.core.transforms.base import Transform, fit
from tasks.core.transforms.training_set import BACKGROUND

ASPECTS = {
    "airline_tweets": ("sentiment", "airline", "negative_reason"),
    "clinc150": ("intent", "domain"),
    "banking77": ("intent",),
    "crisislex_t26": ("information_type", "information_source", "event_type"),
    "amazon_multidomain": ("category", "polarity"),
    "reuters21578": ("topic", "place"),
    "goemotions": ("ekman",),
}
METHODS = ("identity", "gstransform", "fda", "discriminant", "kernel", "auto")
SIZES = (3_000, 1_000, 300, 100)
NOISE = 0.2  # share of wrong labels
FEW = 4  # classes below which none is hidden
SEED = 1


@dataclass(frozen=True)
class _Trial:
    """Vectors, features and classes to learn from, and the same to be scored on."""

    part: str
    x: np.ndarray
    rich: np.ndarray
    y: np.ndarray
    held_x: np.ndarray
    held_rich: np.ndarray
    held_y: np.ndarray


def main() -> None:
    asked = _arguments()
    datasets.require(asked.data, list(ASPECTS))
    outcomes: list[Outcome] = []
    for name, aspects in ASPECTS.items():
        splits = [datasets.split(asked.data, name, aspect) for aspect in aspects]
        codes = encoded(asked.data, name, splits, asked.keep)
        for split in splits:
            for trial in _trials(codes, split, asked.only):
                outcomes += _tried(trial, name, split, asked.methods)
        if asked.json:
            _write(asked.json, outcomes)
    print(f"\n{one_line()}\n\n{tables(outcomes)}")


def _arguments() -> argparse.Namespace:
    parts = [f"{size}" for size in SIZES] + ["wrong", "unseen"]
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--keep", type=Path, default=Path(".quality"), help="encoded texts")
    parser.add_argument("--json", type=Path, help="write all figures to this file, too")
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    return parser.parse_args()


def _trials(codes: Codes, split: datasets.Split, only: list[str]) -> Iterator[_Trial]:
    names = np.unique(split.held_out["label"].to_list() + split.labelled["label"].to_list())
    y, held_y = (
        np.searchsorted(names, part["label"].to_list()) for part in (split.labelled, split.held_out)
    )
    x, held = codes.of(split.labelled), codes.of(split.held_out)
    for size in SIZES:
        if str(size) in only:
            at = stratified(y, size)
            yield _Trial(f"{size:,} labels", x[0][at], x[1][at], y[at], *held, held_y)
    if "wrong" in only:
        yield _Trial(f"{NOISE:.0%} of labels wrong", *x, mistaken(y), *held, held_y)
    if "unseen" in only and len(names) >= FEW:
        hidden = np.random.default_rng(SEED).permutation(len(names))[: len(names) // 2]
        known, new = ~np.isin(y, hidden), np.isin(held_y, hidden)
        yield _Trial(
            "classes never labelled",
            x[0][known],
            x[1][known],
            y[known],
            held[0][new],
            held[1][new],
            held_y[new],
        )


def stratified(y: np.ndarray, size: int) -> np.ndarray:
    """Draw `size` rows, two of each class first where there is room, then any."""
    order = np.random.default_rng(SEED).permutation(len(y))
    place = np.empty(len(y), np.int64)
    for c in np.unique(y):
        own = order[y[order] == c]
        place[own] = np.arange(len(own))
    first = np.concatenate([order[place[order] < 2], order[place[order] >= 2]])
    return np.sort(first[:size])


def mistaken(y: np.ndarray) -> np.ndarray:
    """Give a share of the rows another class, any of the others."""
    random, k = np.random.default_rng(SEED), int(y.max()) + 1
    wrong = random.random(len(y)) < NOISE
    return np.where(wrong, (y + random.integers(1, max(k, 2), size=len(y))) % k, y)


def _tried(
    trial: _Trial, name: str, split: datasets.Split, methods: list[str]
) -> Iterator[Outcome]:
    labels = tuple(f"{c:04d}" for c in range(int(max(trial.y.max(), trial.held_y.max())) + 1))
    for method in methods:
        begun = time.perf_counter()
        made = _fitted(method, trial, labels)
        fitted = time.perf_counter() - begun
        begun = time.perf_counter()
        reading = made.apply(trial.held_x, trial.held_rich)
        applied = time.perf_counter() - begun
        likeliest = np.array([int(label) for label in made.labels])[reading.label]
        found = score(reading.vectors, trial.held_y)
        say(
            f"{name} {split.aspect}, {trial.part}, {method}: {fitted:.2f} s,"
            f" V {found.v_measure or 0:.1f}, triplets {found.triplets or 0:.1f},"
            f" kNN {found.knn or 0:.1f}"
        )
        yield Outcome(
            trial.part,
            name,
            split.aspect,
            split.classes,
            len(trial.y),
            method,
            found,
            None if "never" in trial.part else 100 * float((likeliest == trial.held_y).mean()),
            fitted,
            len(trial.held_x) / applied,
            made.settings().get("chosen"),
        )


def _fitted(method: str, trial: _Trial, labels: tuple[str, ...]) -> Transform:
    """Fit as the pipeline does by default; the held-out texts are the corpus, without labels."""
    settings: dict[str, Any] = Params().fit.model_copy(update={"method": method}).method_settings()
    corpus = trial.held_x[:BACKGROUND]
    return fit(method, trial.x, trial.y, labels, corpus, settings, SEED, trial.rich)


def _write(file: Path, outcomes: list[Outcome]) -> None:
    found = {"machine": machine(), "outcomes": [asdict(outcome) for outcome in outcomes]}
    file.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
