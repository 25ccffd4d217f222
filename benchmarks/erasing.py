"""What vectors without an aspect still tell of it, and what that costs the wanted aspect.

Usage: python -m benchmarks.erasing --data FOLDER [--labels 3000,300] [--pairs sentiment,topic] ...
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from benchmarks import datasets
from benchmarks.encoded import encoded, spoken
from benchmarks.figures import Figures, judged
from benchmarks.machine import one_line
from benchmarks.measure import say
from benchmarks.quality import ASPECTS, SEED, fitted
from benchmarks.trials import Coded, Trial, stratified
from tasks.core.encoding.base_table import Rows
from tasks.core.evaluation.metrics import knn_agreement
from tasks.core.numerics.rows import unit_rows
from tasks.core.transforms.base import Prediction, Transform
from tasks.core.transforms.training_set import BACKGROUND, Concept, Labelled, shares_of

PAIRS = (
    ("airline_tweets", "sentiment", "airline"),
    ("crisislex_t26", "information_type", "event_type"),
    ("crisislex_t26", "information_source", "event_type"),
    ("amazon_multidomain", "category", "polarity"),
    ("amazon_multidomain", "polarity", "category"),
    ("reuters21578", "topic", "place"),
)
LABELS = 3_000  # of the wanted aspect, and of the erased one on the same texts
PROBED = 4_000  # texts at most, half to teach a probe and half to ask it, which nothing has seen
STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0)  # inverse of a probe's penalty: the best counts, for it
LEAST = 1e-9  # a probability that a probe gives, if it has not met a class
WIDTH = 2.0  # of the kernel of the nonlinear probe, at unit mean length


@dataclass(frozen=True)
class Texts:
    """Texts as a transform meets them, with the classes of both aspects, (n,)."""

    coded: Coded
    wanted: np.ndarray
    erased: np.ndarray

    def part(self, rows: np.ndarray | slice) -> Texts:
        x, features, texts = self.coded
        coded = (x[rows], features[rows], texts[rows])
        return Texts(coded, self.wanted[rows], self.erased[rows])


@dataclass(frozen=True)
class Told:
    """What vectors tell of the erased aspect, in percent: how often two probes are right; kNN@10.

    saved: of the log-loss of the shares of the classes, by the linear probe. It is what erasure is
    about: where classes are as frequent, a trace of a tilt moves many texts over a border.
    """

    linear: float
    saved: float
    nonlinear: float
    neighbours: float


def main() -> None:
    asked = _arguments()
    datasets.require(asked.data, [name for name, *_ in PAIRS])
    warnings.filterwarnings("ignore", message="lbfgs failed to converge")
    rows: list[str] = []
    for name, wanted, erased in PAIRS:
        if any(one in f"{name}.{wanted}" for one in asked.pairs):
            rows += _pair(asked, name, wanted, erased)
    head = (
        "| view | erased | linear | saved | nonlinear | neighbours | generic part: linear, saved"
        " | V / triplets / kNN@10 |"
    )
    print(f"\n{one_line()}\n\n{head}\n|---|---|--:|--:|--:|--:|--:|--:|")
    print("\n".join(rows))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--keep", type=Path, default=Path(".quality"), help="encoded texts")
    parser.add_argument(
        "--labels",
        type=lambda said: [int(one) for one in said.split(",")],
        default=[LABELS, 300],
        help="of the erased aspect, such as 3000,300",
    )
    parser.add_argument(
        "--pairs", type=lambda said: said.split(","), default=[""], help="parts of wanted aspects"
    )
    return parser.parse_args()


def _pair(asked: argparse.Namespace, name: str, wanted: str, erased: str) -> list[str]:
    """Measure base vectors and a view as they are, and without an aspect by so many labels."""
    texts = _texts(asked, name, wanted, erased)
    n = min(LABELS, len(texts.wanted) // 2)
    corpus = n + min(BACKGROUND, (len(texts.wanted) - n) * 2 // 5)
    known, around = texts.part(slice(n)), texts.part(slice(n, corpus))
    held = texts.part(slice(corpus, corpus + PROBED))
    classes = int(texts.wanted.max()) + 1
    trial = Trial("", known.coded, known.wanted, around.coded, held.coded, held.wanted, classes)
    said = spoken(name, datasets.split(asked.data, name, wanted), asked.keep)
    concepts = {
        size: _concept(known.part(stratified(known.erased, size)), around) for size in asked.labels
    }
    view = f"| {name}: {wanted} without {erased}"
    most, alike = 100 * _most(held.erased), 100 * _alike(held.erased)
    rows = [f"{view} | chance | {most:.1f} | 0.0 | {most:.1f} | {alike:.1f} | | |"]
    rows += _erased(f"{view} | base vectors", fitted("identity", trial, None, []), held, concepts)
    made = fitted("auto", trial, said, [])
    numbers = made.apply(*held.coded).vectors[:, : len(made.labels)]
    rows.append(f"{view} | its labels' numbers | {_row(_told(numbers, held.erased))} | | |")
    rows += _erased(f"{view} | view", made, held, concepts)
    for row in rows:
        say(row)
    return rows


def _erased(
    what: str, made: Transform, held: Texts, concepts: Mapping[int, Concept]
) -> Iterator[str]:
    """Tell of vectors as they are, and without the aspect by so many labels of it."""
    names = np.array([int(label) for label in made.labels])
    reading = made.apply(*held.coded)
    start = len(names) if made.begins_with_posterior else 0
    yield f"{what} | {_of(reading, names, start, held)}"
    for size, concept in concepts.items():
        erasure = concept.erased_from(made).erasure
        assert erasure is not None
        shown = replace(reading, vectors=erasure.apply(reading.vectors))
        share = f"{erasure.dimensions} of {erasure.of} dimensions"
        yield f"{what}, by {size:,} labels, {share} | {_of(shown, names, start, held)}"


def _texts(asked: argparse.Namespace, name: str, wanted: str, erased: str) -> Texts:
    """Return the texts that have both labels, in a random order."""
    splits = [datasets.split(asked.data, name, one) for one in ASPECTS[name]]
    codes = encoded(asked.data, name, splits, asked.keep)
    split = splits[ASPECTS[name].index(wanted)]
    names = sorted({label for part in (split.labelled, split.held_out) for label in part["label"]})
    rows = (
        datasets.read(asked.data, name)
        .filter(pl.col("id").is_in(list(codes.row)) & pl.col(wanted).is_in(names))
        .drop_nulls([wanted, erased])
        .filter(pl.len().over(erased) >= 2 * datasets.CLASS)
    )
    rows = rows[np.random.default_rng(SEED).permutation(len(rows))]
    coded = (*codes.of(rows), np.array(rows["text"].to_list(), object))
    sources = np.unique(rows[erased].to_list(), return_inverse=True)[1]
    return Texts(coded, np.searchsorted(names, rows[wanted].to_list()), sources)


def _concept(known: Texts, around: Texts) -> Concept:
    """Return what the pipeline would: labelled texts, and the corpus beside them."""
    (x, features, texts), (corpus, beside, others) = known.coded, around.coded
    ids = [str(row) for row in range(len(x) + len(corpus))]
    own = ids[: len(x)]
    labels = tuple(f"{c:04d}" for c in range(int(known.erased.max()) + 1))
    given = Rows(own, own, x, features, texts.tolist())
    both = Rows(
        ids,
        ids,
        np.concatenate([x, corpus]),
        np.concatenate([features, beside]),
        [*texts.tolist(), *others.tolist()],
    )
    named = Labelled(given, known.erased, labels, corpus, beside)
    return Concept(("erased",), both, shares_of(both, named, SEED))


def _of(reading: Prediction, names: np.ndarray, start: int, held: Texts) -> str:
    found: Figures = judged(reading, names, held.wanted)
    whole, generic = _row(_told(reading.vectors, held.erased)), ""
    if start:
        told = _told(reading.vectors[:, start:], held.erased)
        generic = f"{told.linear:.1f}, {told.saved:.1f}"
    scores = f"{found.v_measure:.1f} / {found.triplets:.1f} / {found.knn:.1f}"
    return f"{whole} | {generic} | {scores} |"


def _row(told: Told) -> str:
    return f"{told.linear:.1f} | {told.saved:.1f} | {told.nonlinear:.1f} | {told.neighbours:.1f}"


def _most(y: np.ndarray) -> float:
    """Return how often the class is right that most texts have of those that teach a probe."""
    half = len(y) // 2
    return float((y[half:] == np.bincount(y[:half]).argmax()).mean())


def _alike(y: np.ndarray) -> float:
    """Return how often two texts have the same class."""
    return float(((np.bincount(y) / len(y)) ** 2).sum())


def _told(vectors: np.ndarray, y: np.ndarray) -> Told:
    """Ask a logistic regression, a support vector machine with a Gaussian kernel, and neighbours.

    Both are taught on the first half of the texts, and judged on the others.
    """
    half = len(y) // 2
    x = vectors.astype(np.float64) - vectors[:half].mean(0)
    x /= np.sqrt((x[:half] ** 2).sum(1).mean())
    taught, asked = (x[:half], y[:half]), (x[half:], y[half:])
    linear = [LogisticRegression(C=c, max_iter=500).fit(*taught) for c in STRENGTHS]
    nonlinear = [SVC(C=c, gamma=WIDTH).fit(*taught) for c in STRENGTHS[2:4]]
    shares = np.bincount(y[:half], minlength=int(y.max()) + 1) / half
    constant = _loss(np.tile(shares, (len(y) - half, 1)), y[half:])
    losses = [_loss(_all(probe, asked[0], shares), asked[1]) for probe in linear]
    return Told(
        100 * max(float(probe.score(*asked)) for probe in linear),
        100 * (1 - min(losses) / constant),
        100 * max(float(probe.score(*asked)) for probe in nonlinear),
        knn_agreement(unit_rows(vectors), y, SEED) or 0.0,
    )


def _all(probe: LogisticRegression, x: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return what the probe says of each class, (n, k), of one that it was not taught nothing."""
    said = np.zeros((len(x), len(shares)))
    said[:, probe.classes_] = probe.predict_proba(x)
    return said


def _loss(said: np.ndarray, y: np.ndarray) -> float:
    return -float(np.log(np.clip(said[np.arange(len(y)), y], LEAST, 1)).mean())


if __name__ == "__main__":
    main()
