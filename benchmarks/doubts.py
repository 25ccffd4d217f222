"""How many of the labels that were made wrong `refract doubts` lists, and what else it lists.

Usage: python -m benchmarks.doubts --data FOLDER [--keep DIR] [--repeat N]
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import mean, median

import numpy as np

from benchmarks import datasets
from benchmarks.gate import arguments, every_aspect
from benchmarks.machine import one_line
from benchmarks.measure import say
from tasks.core.encoding.base_table import Rows
from tasks.core.evaluation.doubts import doubts
from tasks.core.settings.params import Params
from tasks.core.transforms.training_set import BACKGROUND, Labelled

SIZES = (300, 1_000)
WRONG = 0.1  # share of the labels that are exchanged for another one, any as likely


@dataclass(frozen=True)
class Outcome:
    """Of one draw: shares of the list that are wrong, of the wrong ones listed, and by rank."""

    listed: int
    precision: float
    recall: float
    first: float  # precision of as many as were made wrong, from the top of the list
    untouched: int  # texts that are listed where no label was exchanged
    seconds: float


def main() -> None:
    asked = arguments(__doc__)
    lines = []
    for name, split, everything in every_aspect(asked):
        for size in (size for size in SIZES if size <= len(split.labelled)):
            draws = [_drawn(split, everything, size, n) for n in range(1, asked.repeat + 1)]
            lines.append(_line(f"{name} {split.aspect}", split, size, draws))
            say(lines[-1])
    print(f"\n{one_line()}\n")
    print("| texts | labels | of them | listed | precision | recall | first | unharmed | takes |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    print("\n".join(lines))


def _drawn(
    split: datasets.Split, codes: tuple[np.ndarray, np.ndarray], size: int, number: int
) -> Outcome:
    ids, written = (split.labelled[name].to_list() for name in ("id", "text"))
    random = np.random.default_rng(1_000 * size + number)
    rows = random.permutation(len(ids))[:size]
    names, y = np.unique(np.array(split.labelled["label"].to_list())[rows], return_inverse=True)
    wrong = random.permutation(size)[: round(WRONG * size)]
    given = y.copy()
    given[wrong] = (y[wrong] + random.integers(1, len(names), len(wrong))) % len(names)
    keys = [ids[row] for row in rows]
    said = [written[row] for row in rows]
    texts = Rows(keys, keys, codes[0][rows], codes[1][rows], said)
    labels = tuple(str(name) for name in names)
    begun = time.perf_counter()
    listed = _listed(Labelled(texts, given, labels, codes[0][:BACKGROUND]))
    seconds = time.perf_counter() - begun
    harmed = {keys[at] for at in wrong}
    hits = [key in harmed for key in listed]
    return Outcome(
        listed=len(listed),
        precision=mean(hits) if hits else 0.0,
        recall=sum(hits) / len(harmed),
        first=mean(hits[: len(harmed)]) if hits else 0.0,
        untouched=len(_listed(Labelled(texts, y, labels, codes[0][:BACKGROUND]))),
        seconds=seconds,
    )


def _listed(known: Labelled) -> list[str]:
    fit = Params().fit
    found = doubts(known, fit.method, fit.method_settings(), fit.seed)
    return [each.id for each in found.listed]


def _line(what: str, split: datasets.Split, size: int, draws: list[Outcome]) -> str:
    figures = [mean(getattr(each, key) for each in draws) for key in ("precision", "recall")]
    figures.append(mean(each.first for each in draws))
    shares = " | ".join(f"{100 * value:.0f}" for value in figures)
    listed, plain = (mean(getattr(each, key) for each in draws) for key in ("listed", "untouched"))
    seconds = median(each.seconds for each in draws)
    return (
        f"| {what} | {split.classes} | {size:,} | {listed:.0f} | {shares} | {plain:.0f} |"
        f" {seconds:.1f} s |"
    )


if __name__ == "__main__":
    main()
