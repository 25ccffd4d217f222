"""How well each method sees 14 aspects of real texts, on texts whose label no fit has seen.

Usage: python -m benchmarks.quality --data FOLDER [--labels 100,300] [--aspects airline,ekman] ...
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import datasets
from benchmarks.encoded import encoded, spoken
from benchmarks.figures import judged
from benchmarks.machine import machine, one_line
from benchmarks.measure import say
from benchmarks.outcomes import Outcome, compared, tables
from benchmarks.trials import SIZES, Trial, trials
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
PARTS = ("labels", "wrong", "later", "unseen")
ABLATED = ("names", "corpus", "words")  # what `auto` can be made to do without
KEPT = "REFRACT_QUALITY"  # environment: folder of the encoded texts
SEED = 1


def main() -> None:
    asked = _arguments()
    wanted = {
        name: [one for one in aspects if _named(asked.aspects, name, one)]
        for name, aspects in ASPECTS.items()
    }
    datasets.require(asked.data, [name for name, some in wanted.items() if some])
    outcomes: list[Outcome] = []
    for name, some in ((name, some) for name, some in wanted.items() if some):
        every = {one: _split(asked, name, one) for one in ASPECTS[name]}
        codes = encoded(asked.data, name, list(every.values()), asked.keep)
        for aspect in some:
            said = spoken(name, every[aspect], asked.keep)
            for trial in trials(codes, every[aspect], asked.labels, asked.parts):
                outcomes += _tried(trial, name, every[aspect], said, asked)
        if asked.json:
            _write(asked.json, outcomes)
    print(f"\n{one_line()}\n\n{tables(outcomes)}")
    if asked.against:
        print(f"\n{compared(outcomes, json.loads(asked.against.read_text('utf-8'))['outcomes'])}")


def _split(asked: argparse.Namespace, name: str, aspect: str) -> datasets.Split:
    found = datasets.split(asked.data, name, aspect)
    return replace(found, held_out=found.held_out[: asked.held_out])


def _named(aspects: list[str] | None, name: str, aspect: str) -> bool:
    return aspects is None or any(one in f"{name}.{aspect}" for one in aspects)


def _arguments() -> argparse.Namespace:
    def sizes(said: str) -> list[int]:
        return [int(one) for one in said.split(",")]

    def names(said: str) -> list[str]:
        return said.split(",")

    keep = Path(os.environ.get(KEPT, ".quality"))
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--keep", type=Path, default=keep, help=f"encoded texts; or set {KEPT}")
    parser.add_argument("--json", type=Path, help="write all figures to this file, too")
    parser.add_argument("--against", type=Path, help="figures of another run, to compare with")
    parser.add_argument("--labels", type=sizes, default=list(SIZES), help="such as 100,300")
    parser.add_argument("--aspects", type=names, help="parts of names, such as airline,ekman")
    parser.add_argument("--parts", type=names, default=list(PARTS), help=",".join(PARTS))
    parser.add_argument("--methods", type=names, default=list(METHODS), help=",".join(METHODS))
    parser.add_argument("--without", type=names, default=[], help=",".join(ABLATED))
    parser.add_argument("--held-out", type=int, default=datasets.HELD_OUT, help="texts scored")
    return parser.parse_args()


def _tried(
    trial: Trial, name: str, split: datasets.Split, said: np.ndarray, asked: argparse.Namespace
) -> Iterator[Outcome]:
    for method in asked.methods:
        begun = time.perf_counter()
        made = fitted(method, trial, None if "names" in asked.without else said, asked.without)
        taken = time.perf_counter() - begun
        begun = time.perf_counter()
        reading = made.apply(*trial.scored)
        applied = time.perf_counter() - begun
        known = np.array([int(label) for label in made.labels])
        found = judged(reading, known, trial.truth)
        say(
            f"{name} {split.aspect}, {trial.part}, {method}: {taken:.2f} s,"
            f" V {found.v_measure:.1f}, triplets {found.triplets:.1f}, kNN {found.knn:.1f}"
        )
        yield Outcome(
            trial.part,
            name,
            split.aspect,
            split.classes,
            len(trial.y),
            method,
            found,
            taken,
            len(trial.truth) / applied,
            _experts(made),
        )


def fitted(method: str, trial: Trial, said: np.ndarray | None, without: list[str]) -> Transform:
    """Fit as the pipeline does by default; the corpus has no labels."""
    settings: dict[str, Any] = Params().fit.model_copy(update={"method": method}).method_settings()
    (x, rich, texts), (corpus, beside, _) = trial.known, trial.corpus
    labels = tuple(f"{c:04d}" for c in range(trial.classes))
    return fit(
        method,
        x,
        trial.y,
        labels,
        corpus[:BACKGROUND],
        settings,
        SEED,
        rich,
        beside=None if "corpus" in without else beside[:BACKGROUND],
        names=said,
        texts=None if "words" in without else texts.tolist(),
    )


def _experts(made: Transform) -> dict[str, float] | None:
    """Return the weight of each expert, where there are several."""
    chosen: dict[str, Any] = made.settings().model_dump().get("settings", {})
    weights: dict[str, float] | None = chosen.get("weights")
    return weights


def _write(file: Path, outcomes: list[Outcome]) -> None:
    found = {"machine": machine(), "outcomes": [asdict(outcome) for outcome in outcomes]}
    file.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
