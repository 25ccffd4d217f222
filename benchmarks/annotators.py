"""What becomes of labels that three annotators disagree about, by each way to settle them.

Usage: python -m benchmarks.annotators --data FOLDER [--keep DIR] [--labels N] [--held-out N]

Each annotator gives another label than the true one, any as likely, at a known rate. `majority` is
what label files do: more than half decide, and a text without a majority is left out. By agreement:
each annotator counts ln(a (k - 1)/(1 - a)), a how often the majority is on their side. `every
answer` gives the fit a row for each.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import datasets
from benchmarks.encoded import encoded, spoken
from benchmarks.figures import judged
from benchmarks.machine import one_line
from benchmarks.quality import KEPT, fitted
from benchmarks.trials import Trial, trials

ASPECTS = {
    "airline_tweets": ("sentiment", "negative_reason"),
    "clinc150": ("domain",),
    "goemotions": ("ekman",),
}
ERRORS = ((0.2, 0.2, 0.2), (0.1, 0.1, 0.5))
SEED = 1
Ints = np.ndarray
Given = tuple[Ints, Ints]
"""Rows of texts, and a label for each."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--keep", type=Path, default=Path(os.environ.get(KEPT, ".quality")))
    parser.add_argument("--labels", type=int, default=1_000, help="texts labelled by all three")
    parser.add_argument("--held-out", type=int, default=2_000, help="texts scored")
    asked = parser.parse_args()
    print(f"{one_line()}\n\n| errors | way | texts | right | V-measure | triplets | kNN@10 |")
    print("|---|---|--:|--:|--:|--:|--:|")
    found: dict[tuple[str, str], list[list[float]]] = {}
    for trial, said in _trials(asked):
        for errors in ERRORS:
            for way, figures in _tried(trial, said, errors):
                found.setdefault((", ".join(f"{e:.0%}" for e in errors), way), []).append(figures)
    for (errors, way), each in found.items():
        texts, *means = np.mean(each, axis=0)
        shown = " | ".join(f"{mean:.1f}" for mean in means)
        print(f"| {errors} | {way} | {texts:,.0f} | {shown} |")


def _trials(asked: argparse.Namespace) -> Iterator[tuple[Trial, np.ndarray]]:
    datasets.require(asked.data, list(ASPECTS))
    for name, aspects in ASPECTS.items():
        splits = [datasets.split(asked.data, name, aspect) for aspect in aspects]
        splits = [replace(each, held_out=each.held_out[: asked.held_out]) for each in splits]
        codes = encoded(asked.data, name, splits, asked.keep)
        for split in splits:
            said = spoken(name, split, asked.keep)
            yield next(trials(codes, split, [asked.labels], ["labels"])), said


def _tried(
    trial: Trial, said: np.ndarray, errors: tuple[float, ...]
) -> Iterator[tuple[str, list[float]]]:
    answers = _answers(trial.y, trial.classes, errors)
    ways: dict[str, Callable[[], Given]] = {
        "one annotator": lambda: (np.arange(len(trial.y)), answers[0]),
        "majority": lambda: _voted(answers, trial.classes, np.ones(len(answers))),
        "by agreement": lambda: _voted(answers, trial.classes, _trust(answers, trial.classes)),
        "every answer": lambda: (
            np.tile(np.arange(len(trial.y)), len(answers)),
            np.concatenate(answers),
        ),
        "true labels": lambda: (np.arange(len(trial.y)), trial.y),
    }
    for way, settle in ways.items():
        rows, y = settle()
        x, features, texts = trial.known
        part = replace(trial, known=(x[rows], features[rows], texts[rows]), y=y)
        made = fitted("auto", part, said, [])
        known = np.array([int(label) for label in made.labels])
        one = judged(made.apply(*trial.scored), known, trial.truth)
        right = 100 * float((y == trial.y[rows]).mean())
        yield way, [len(np.unique(rows)), right, one.v_measure, one.triplets, one.knn]


def _answers(y: Ints, k: int, errors: tuple[float, ...]) -> list[Ints]:
    random = np.random.default_rng(SEED)
    return [
        np.where(random.random(len(y)) < error, (y + random.integers(1, k, len(y))) % k, y)
        for error in errors
    ]


def _voted(answers: list[Ints], k: int, trust: np.ndarray) -> Given:
    """Return texts of which one label has more than half of the trust, and it."""
    votes = sum(t * np.eye(k)[each] for each, t in zip(answers, trust, strict=True))
    rows = np.flatnonzero(votes.max(1) > trust.sum() / 2)
    return rows, votes[rows].argmax(1)


def _trust(answers: list[Ints], k: int) -> np.ndarray:
    rows, y = _voted(answers, k, np.ones(len(answers)))
    agreed = np.array([(each[rows] == y).mean() for each in answers]).clip(0.01, 0.99)
    return np.log(agreed * (k - 1) / (1 - agreed)).clip(0.01)


if __name__ == "__main__":
    main()
