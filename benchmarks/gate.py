"""What the gate makes of right labels and of labels on the wrong texts.

Usage: python -m benchmarks.gate --data FOLDER [--keep DIR] [--repeat N]
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks import datasets
from benchmarks.encoded import encoded
from benchmarks.machine import one_line
from benchmarks.measure import say
from benchmarks.quality import ASPECTS
from tasks.core.encoding.base_table import Rows
from tasks.core.evaluation.proof import PROVEN, REFUSED, UNPROVEN
from tasks.core.evaluation.quality_gate import weigh
from tasks.core.settings.params import Params
from tasks.core.transforms.training_set import BACKGROUND, Labelled

SIZES = (30, 100, 300, 1_000)
LABELS = 1_200  # texts to draw from
BESIDE = 300  # texts encoded beside them, as the rest of a corpus
RIGHT, SHUFFLED, SHIFTED = "right", "shuffled", "one row off"
SEED = 1


def main() -> None:
    asked = arguments(__doc__)
    found: dict[tuple[str, int], Counter[str]] = defaultdict(Counter)
    taken: dict[int, list[float]] = defaultdict(list)
    for name, split, everything in every_aspect(asked):
        for size, kind, known in _cases(split, everything, asked.repeat):
            begun = time.perf_counter()
            state, why = _ruled(known)
            taken[size].append(time.perf_counter() - begun)
            found[kind, size][state] += 1
            say(f"{name} {split.aspect}, {size:,} {kind}: {state} {why}")
    print(f"\n{one_line()}\n\n| labels | of them | {PROVEN} | {UNPROVEN} | {REFUSED} |")
    print("|---|--:|--:|--:|--:|")
    for (kind, size), counts in sorted(found.items(), key=lambda each: (each[0][0], each[0][1])):
        states = " | ".join(str(counts[state]) for state in (PROVEN, UNPROVEN, REFUSED))
        print(f"| {kind} | {size:,} | {states} |")
    print()
    for size, seconds in sorted(taken.items()):
        print(f"{size:,} labels: {median(seconds):.2f} s beside the fit (median)")


def arguments(what: str | None) -> argparse.Namespace:
    """Read the command line of a benchmark on draws of labelled texts; `what` it is for."""
    parser = argparse.ArgumentParser(description=(what or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--keep", type=Path, default=Path(".gate"), help="encoded texts")
    parser.add_argument("--repeat", type=int, default=3, help="draws of each kind and size")
    return parser.parse_args()


def every_aspect(
    asked: argparse.Namespace,
) -> Iterator[tuple[str, datasets.Split, tuple[np.ndarray, np.ndarray]]]:
    """Yield set, texts to draw from, and their vectors and features, aspect by aspect."""
    datasets.require(asked.data, list(ASPECTS))
    for name, aspects in ASPECTS.items():
        splits = [datasets.split(asked.data, name, aspect, LABELS) for aspect in aspects]
        splits = [datasets.Split(s.aspect, s.labelled, s.held_out[:BESIDE]) for s in splits]
        codes = encoded(asked.data, name, splits, asked.keep)
        for split in splits:
            yield name, split, codes.of(split.labelled)


def _cases(
    split: datasets.Split, codes: tuple[np.ndarray, np.ndarray], repeat: int
) -> Iterator[tuple[int, str, Labelled]]:
    """Draw labelled texts, and put their labels on them, in a random order, or one text on."""
    ids, said = (split.labelled[name].to_list() for name in ("id", "text"))
    names, y = np.unique(split.labelled["label"].to_list(), return_inverse=True)
    for size in (size for size in SIZES if size <= len(ids)):
        for number in range(repeat):
            random = np.random.default_rng(1_000 * size + number)
            rows = random.permutation(len(ids))[:size]
            own = y[rows]
            for kind, labels in (
                (RIGHT, own),
                (SHUFFLED, random.permutation(own)),
                (SHIFTED, np.roll(own, 1)),
            ):
                there, code = np.unique(labels, return_inverse=True)
                keys = [ids[row] for row in rows]
                texts = Rows(
                    keys, keys, codes[0][rows], codes[1][rows], [said[row] for row in rows]
                )
                found = tuple(str(names[c]) for c in there)
                beside = (each[:BACKGROUND] for each in codes)
                yield size, kind, Labelled(texts, code, found, *beside)


def _ruled(known: Labelled) -> tuple[str, str]:
    fit = Params().fit
    train, held = known.split(fit.held_out, SEED)
    settings = fit.method_settings()
    trial = train.fit(fit.method, settings, SEED)
    ruling = weigh(known, held, trial, settings, SEED, fit.method)
    return ruling.state, ruling.why


if __name__ == "__main__":
    main()
