"""How well the names of labels alone see 14 aspects of real texts, against labels by hand.

And three aspects of texts that no constant of the fit has seen: name them by --aspects.

Usage: python -m benchmarks.words_alone --data FOLDER [--aspects airline,ekman] [--held-out 1500] …
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from benchmarks import datasets
from benchmarks.encoded import encoded, spoken
from benchmarks.figures import judged
from benchmarks.machine import machine, one_line
from benchmarks.measure import say
from benchmarks.outcomes import Outcome, tables
from benchmarks.quality import ASPECTS, KEPT, fitted
from benchmarks.trials import Trial, trials
from tasks.core.annotation.zero_shot import weak_labels
from tasks.core.settings.params import Params
from tasks.core.transforms.base import Transform, fit_by_names
from tasks.core.transforms.training_set import BACKGROUND

PART = "names of labels, and labels"
LABELS = (30, 100, 300)
UNSEEN = {"agnews_partial": ("topic",), "newsgroups20_part": ("group", "newsgroup")}


def main() -> None:
    asked = _arguments()
    outcomes: list[Outcome] = []
    for name, aspects in (ASPECTS | (UNSEEN if asked.aspects != [""] else {})).items():
        every = {one: _split(asked, name, one) for one in aspects}
        some = [one for one in aspects if any(part in f"{name}.{one}" for part in asked.aspects)]
        if some:
            codes = encoded(asked.data, name, list(every.values()), asked.keep)
        for aspect in some:
            said = spoken(name, every[aspect], asked.keep)
            given = {len(t.y): t for t in trials(codes, every[aspect], LABELS, ["labels"])}
            tried = _tried(name, aspect, list(given.values()), said, asked.methods)
            outcomes += tried
            if asked.json:
                found = {"machine": machine(), "outcomes": [asdict(one) for one in outcomes]}
                asked.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    print(f"\n{one_line()}\n\n{tables(outcomes)}")


def _split(asked: argparse.Namespace, name: str, aspect: str) -> datasets.Split:
    found = datasets.split(asked.data, name, aspect)
    return replace(found, held_out=found.held_out[: asked.held_out])


def _arguments() -> argparse.Namespace:
    keep = Path(os.environ.get(KEPT, ".quality"))
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--keep", type=Path, default=keep, help=f"encoded texts; or set {KEPT}")
    parser.add_argument("--json", type=Path, help="write all figures to this file, too")
    parser.add_argument("--aspects", type=lambda said: said.split(","), default=[""])
    parser.add_argument("--methods", type=lambda said: said.split(","), default=[""])
    parser.add_argument("--held-out", type=int, default=1_500, help="texts scored, the corpus")
    return parser.parse_args()


def _tried(
    name: str, aspect: str, given: list[Trial], said: np.ndarray, asked: list[str]
) -> Iterator[Outcome]:
    first = given[0]
    few = "30 labels, 2 of each"
    methods: dict[str, tuple[Trial, Callable[[Trial], Transform]]] = {
        "base vectors": (first, lambda trial: fitted("identity", trial, None, [])),
        "names alone": (first, lambda trial: _by_names(trial, said)),
        "--zero-shot": (first, lambda trial: fitted("auto", _weak(trial, said), said, [])),
        f"{few}, names unread": (first, lambda trial: fitted("auto", trial, None, [])),
    }
    for trial, title in zip(given, (few, "100 labels", "300 labels"), strict=False):
        methods[title] = trial, lambda trial: fitted("auto", trial, said, [])
    for method, (trial, fit) in methods.items():
        if not any(part in method for part in asked):
            continue
        begun = time.perf_counter()
        made = fit(trial)
        taken, begun = time.perf_counter() - begun, time.perf_counter()
        reading = made.apply(*trial.scored)
        applied = time.perf_counter() - begun
        known = np.array([int(label) for label in made.labels])
        found = judged(reading, known, trial.truth)
        say(f"{name} {aspect}, {method}: {found.accuracy:.1f} % V {found.v_measure:.1f}")
        rows = len(trial.truth) / applied
        yield Outcome(
            *(PART, name, aspect, trial.classes, len(trial.y), method, found, taken, rows, None)
        )


def _by_names(trial: Trial, said: np.ndarray) -> Transform:
    x, features, _ = trial.corpus
    labels = tuple(f"{c:04d}" for c in range(trial.classes))
    own = Params().fit.method_settings()
    return fit_by_names("auto", labels, said, x[:BACKGROUND], own, beside=features[:BACKGROUND])


def _weak(trial: Trial, said: np.ndarray) -> Trial:
    """Label the surest texts of the corpus as `refract label --zero-shot` does: by plain names."""
    names = said[:, 0] / np.linalg.norm(said[:, 0], axis=1, keepdims=True)
    best, rows = weak_labels(trial.corpus[0], names, Params().label.zero_shot)
    x, features, texts = trial.corpus
    right = 100 * float((best[rows] == trial.truth[rows]).mean())
    say(f"  --zero-shot: {right:.1f} % of {len(rows)} right")
    return replace(trial, known=(x[rows], features[rows], texts[rows]), y=best[rows])


if __name__ == "__main__":
    main()
