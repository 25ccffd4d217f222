"""Texts like one in an aspect and of a given label in another: several views against filters.

Usage: python -m benchmarks.combining --data FOLDER [--keep DIR] [--labels 100,300] [--queries N]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks import datasets
from benchmarks.encoded import Codes, encoded, spoken
from benchmarks.machine import one_line
from benchmarks.measure import say
from benchmarks.quality import ASPECTS
from benchmarks.trials import stratified
from tasks.core.numerics.rows import unit_rows
from tasks.core.query.label_place import label_place
from tasks.core.settings.params import Params
from tasks.core.transforms.base import fit, save
from tasks.core.transforms.training_set import BACKGROUND
from tasks.core.workspace.manifests import Card

PAIRS = (
    ("airline_tweets", "airline", "sentiment"),
    ("airline_tweets", "airline", "negative_reason"),
    ("crisislex_t26", "event_type", "information_type"),
    ("crisislex_t26", "event_type", "information_source"),
    ("amazon_multidomain", "category", "polarity"),
)
SIZES, QUERIES, K, SURE, SEED = (3_000, 300, 100), 400, 10, 0.8, 1
TOWARDS = (
    *("base, filter", "A, filter", "A, filter above 0.8", "base, both filters"),
    *("--keep A --with B", "--keep A --keep base --with B"),
)
ALIKE = ("base", "A", "B", "A, filter", "A=1, B=1")
FIGURES = ("both", "same A", "label B", "likeness", "different")


@dataclass(frozen=True)
class Seen:
    """One aspect of n texts: their true labels, and the view of them.

    places: (k, m) of its k labels. likeliest: (n,) indices of these. right: share of the texts
    that get their label.
    """

    truth: np.ndarray
    names: np.ndarray
    vectors: np.ndarray
    places: np.ndarray
    likeliest: np.ndarray
    confidence: np.ndarray

    @property
    def right(self) -> float:
        return float(np.mean(self.names[self.likeliest] == self.truth))


def main() -> None:
    asked = _arguments()
    datasets.require(asked.data, [name for name, *_ in PAIRS])
    print(one_line())
    means: dict[tuple[str, int], dict[str, list[np.ndarray]]] = {}
    for size in asked.labels:
        print(f"\n{size:,} labels a view\n\n{_head(TOWARDS)}", flush=True)
        for name, base, kept, other in _every_pair(asked, size):
            for kind, ways in (("towards", TOWARDS), ("alike", ALIKE)):
                found = _found(base, kept[1], other[1], kind, asked.queries)
                own = means.setdefault((kind, size), {way: [] for way in ways})
                for way in ways:
                    own[way].append(_figures(found[way]))
                if kind == "towards":
                    print(_row(name, kept[0], other, found), flush=True)
    for (kind, size), ways in means.items():
        print(f"\n{kind}, {size:,} labels: means\n\n| way | {' | '.join(FIGURES)} |")
        print(f"|---|{'--:|' * len(FIGURES)}")
        for way, rows in ways.items():
            print(f"| {way} | {' | '.join(f'{100 * each:.1f}' for each in np.mean(rows, 0))} |")


def _arguments() -> argparse.Namespace:
    def sizes(said: str) -> list[int]:
        return [int(one) for one in said.split(",")]

    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--keep", type=Path, default=Path(".quality"), help="encoded texts")
    parser.add_argument("--labels", type=sizes, default=list(SIZES), help="such as 100,300")
    parser.add_argument("--queries", type=int, default=QUERIES, help="texts asked about")
    return parser.parse_args()


def _every_pair(
    asked: argparse.Namespace, size: int
) -> Iterator[tuple[str, np.ndarray, tuple[str, Seen], tuple[str, Seen]]]:
    """Yield set, base vectors (n, d), and two aspects of the same held-out texts, either way."""
    for name, one, other in PAIRS:
        splits = {a: datasets.split(asked.data, name, a) for a in ASPECTS[name]}
        codes = encoded(asked.data, name, list(splits.values()), asked.keep)
        labelled, held = _both(asked.data, name, splits[one], splits[other])
        seen = [
            (aspect, _seen(codes, labelled, held, splits[aspect], size, name, asked.keep))
            for aspect in (one, other)
        ]
        base = codes.of(held)[0]
        yield name, base, seen[0], seen[1]
        yield name, base, seen[1], seen[0]


def _both(
    data: Path, name: str, one: datasets.Split, other: datasets.Split
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the labelled and the held-out texts of the rarer aspect that have both."""
    split, further = sorted((one, other), key=lambda each: len(each.labelled) + len(each.held_out))
    known = further.labelled["label"].unique().implode()
    column = pl.read_parquet(datasets.file(data, name)).select("id", further.aspect)
    both = [
        part.rename({"label": split.aspect})
        .join(column, on="id", how="left", maintain_order="left")
        .filter(pl.col(further.aspect).is_in(known))
        for part in (split.labelled, split.held_out)
    ]
    return both[0], both[1]


def _seen(
    codes: Codes,
    labelled: pl.DataFrame,
    held: pl.DataFrame,
    split: datasets.Split,
    size: int,
    name: str,
    keep: Path,
) -> Seen:
    """Fit as the pipeline does by default, the held-out texts being the corpus."""
    given = np.array(labelled[split.aspect].to_list())
    rows = stratified(np.unique(given, return_inverse=True)[1], size)
    names, y = np.unique(given[rows], return_inverse=True)
    every = sorted({*split.labelled["label"], *split.held_out["label"]})
    said = spoken(name, split, keep)[np.searchsorted(every, names)]
    (x, rich), (corpus, beside) = codes.of(labelled[rows]), codes.of(held)
    settings = Params().fit.method_settings()
    made = fit(
        *("auto", x, y, tuple(map(str, names)), corpus[:BACKGROUND], settings, SEED, rich),
        beside=beside[:BACKGROUND],
        names=said,
        texts=labelled[rows]["text"].to_list(),
    )
    reading = made.apply(corpus, beside, held["text"].to_list())
    with tempfile.TemporaryDirectory() as folder:
        save(Path(folder), made, Card(seed=SEED))
        places = np.stack([label_place(Path(folder), label) for label in made.labels])
    vectors = unit_rows(reading.vectors.astype(np.float16))
    truth = np.array(held[split.aspect].to_list())
    return Seen(truth, names, vectors, places, reading.label, reading.confidence)


def _found(
    base: np.ndarray, kept: Seen, other: Seen, kind: str, queries: int
) -> dict[str, np.ndarray]:
    """Return of each way, for each text asked about: both right, each alone, likeness, ids.

    towards: to a label of B that it has not, drawn from those that K texts with its own in A have.
    alike: to its own labels in both.
    """
    random = np.random.default_rng(SEED)
    found: dict[str, list[np.ndarray]] = {}
    for q in random.permutation(len(base))[:queries]:
        same = kept.truth == kept.truth[q]
        some = [at for at, each in enumerate(other.names) if _many(same, other, each, q, kind)]
        if not some:
            continue
        at = some[random.integers(len(some))]
        ways = _towards if kind == "towards" else _alike
        for way, scores in ways(base, kept, other, q, at).items():
            scores[q] = -np.inf
            top = np.argpartition(-scores, K)[:K]
            right = same[top], other.truth[top] == other.names[at]
            told = [np.mean(right[0] & right[1]), np.mean(right[0]), np.mean(right[1])]
            likeness = np.mean(base[top] @ base[q])
            found.setdefault(way, []).append(np.array([*told, likeness, *top]))
    return {way: np.stack(rows) for way, rows in found.items()}


def _many(same: np.ndarray, other: Seen, label: str, q: int, kind: str) -> bool:
    """Tell whether there are enough texts to find, and `label` is one that is sought."""
    own = label == other.truth[q]
    return own == (kind == "alike") and int(np.sum(same & (other.truth == label))) >= K + own


def _towards(base: np.ndarray, kept: Seen, other: Seen, q: int, at: int) -> dict[str, np.ndarray]:
    near, a = base @ base[q], kept.vectors @ kept.vectors[q]
    b, has = other.vectors @ other.places[at], other.likeliest == at
    both = has & (kept.likeliest == kept.likeliest[q])
    scores = (
        *(_where(near, has), _where(a, has), _where(a, has & (other.confidence > SURE))),
        *(_where(near, both), a + b, a + b + near),
    )
    return dict(zip(TOWARDS, scores, strict=True))


def _alike(base: np.ndarray, kept: Seen, other: Seen, q: int, at: int) -> dict[str, np.ndarray]:
    a, b = (seen.vectors @ seen.vectors[q] for seen in (kept, other))
    has = other.likeliest == other.likeliest[q]
    return dict(zip(ALIKE, (base @ base[q], a, b, _where(a, has), a + b), strict=True))


def _where(scores: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Return scores in which what a filter leaves out comes last, as where it leaves too few."""
    return np.where(true, scores, scores - 9)


def _figures(found: np.ndarray) -> np.ndarray:
    """Return the means, and how many different texts there are among all that were found."""
    ids = found[:, -K:]
    return np.array([*found[:, :-K].mean(axis=0), len(np.unique(ids)) / ids.size])


def _head(ways: tuple[str, ...]) -> str:
    return (
        f"| texts | A | B | B right | {' | '.join(ways)} | gain |\n"
        f"|---|---|---|{'--:|' * (len(ways) + 2)}"
    )


def _row(name: str, kept: str, other: tuple[str, Seen], found: dict[str, np.ndarray]) -> str:
    """Write a row; gain: of `--keep A --with B` over view A and a filter, 95 % of the mean."""
    shares = " | ".join(f"{100 * found[way][:, 0].mean():.1f}" for way in TOWARDS)
    gains = 100 * (found[TOWARDS[4]][:, 0] - found[TOWARDS[1]][:, 0])
    error = 1.96 * gains.std(ddof=1) / np.sqrt(len(gains))
    say(f"{name} {kept}, {other[0]}: {len(gains)} texts")
    right = f"{100 * other[1].right:.0f}"
    gain = f"{gains.mean():+.1f} ± {error:.1f}"
    return f"| {name} | {kept} | {other[0]} | {right} | {shares} | {gain} |"


if __name__ == "__main__":
    main()
