"""How near `right` is to the truth, and how right the texts are of which a view is sure.

Both of labels that the queue suggests and of labels at random.

Usage: python -m benchmarks.right --data FOLDER [--keep DIR] [--aspects NAME,…] [--seeds 1,2]
                                  [--labels 50,100,200] [--texts N]
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks import datasets
from benchmarks.encoded import encoded, spoken
from benchmarks.machine import one_line
from benchmarks.measure import say
from benchmarks.quality import ASPECTS as SETS
from tasks.core.encoding.base_table import Rows
from tasks.core.evaluation import metrics
from tasks.core.evaluation.bootstrap import Interval
from tasks.core.evaluation.right import Answers, share_right
from tasks.core.settings.params import Params
from tasks.core.store import arrow, tables
from tasks.core.transforms.training_set import BACKGROUND, Labelled
from tasks.core.views import active_learning, covering
from tasks.core.views.view_rows import StoredRows

ASPECTS = (
    "airline_tweets.sentiment",
    "airline_tweets.negative_reason",
    "crisislex_t26.information_type",
    "amazon_multidomain.polarity",
    "amazon_multidomain.category",
    "goemotions.ekman",
    "clinc150.domain",
    "reuters21578.topic",
)
SURE = 0.9  # of which the page says how many texts there are, and how sure they are in the mean
ROUNDS = (10, 20, 35, 50, 75, 100, 150, 200, 300, 400, 500, 700, 1_000)  # labels after each fit
SUGGESTED, RANDOM = "suggested", "at random"


@dataclass(frozen=True)
class Surest:
    """The texts that a view is sure of: shares × 100 of all, truly right, and expected to be."""

    share: float
    true: float
    said: float


@dataclass(frozen=True)
class Outcome:
    """What one view was said to be, and is: shares × 100 of texts that nobody has labelled.

    surest: of those that it is sure of, None where there are fewer than thirty.
    """

    drawn: str
    labels: int
    true: float
    held_out: float | None
    right: Interval
    surest: Surest | None


class Corpus:
    """Texts whose labels are known, as a base table that the queue reads, and views of them."""

    def __init__(self, root: Path, aspect: str, asked: argparse.Namespace, seed: int) -> None:
        name, _, column = aspect.partition(".")
        splits = [datasets.split(asked.data, name, each) for each in SETS[name]]
        split = splits[SETS[name].index(column)]
        every = pl.concat([split.labelled, split.held_out]).sort("id")
        rows = every.sample(min(asked.texts, len(every)), seed=seed, shuffle=True)
        vectors, features = encoded(asked.data, name, splits, asked.keep).of(rows)
        self.base, self.view = root / "base.lance", root / "view.lance"
        self.ids, self.truth = rows["id"].to_list(), np.array(rows["label"].to_list())
        self.names = sorted(set(every["label"]))
        self.spoken = spoken(name, split, asked.keep)
        hashes = [f"{seed} {key}" for key in self.ids]  # which are held out is another draw
        self.rows = Rows(self.ids, hashes, vectors, features, rows["text"].to_list())
        columns = {"id": self.ids, "text_hash": hashes, "row_hash": hashes, "text": rows["text"]}
        _write(self.base, pl.DataFrame(columns), vectors)

    def known(self, at: np.ndarray) -> Labelled:
        """Return the texts at `at` with their labels."""
        names, y = np.unique(self.truth[at], return_inverse=True)
        said = self.spoken[[self.names.index(name) for name in names]]
        beside = self.rows.features
        assert beside is not None
        corpus = self.rows.vectors[:BACKGROUND], beside[:BACKGROUND]
        return Labelled(self.rows.part(at), y, tuple(names.tolist()), *corpus, said)

    def suggested(self, at: np.ndarray, many: int) -> list[int]:
        """Return what the queue asks for next, once the texts at `at` are labelled."""
        known = [self.ids[row] for row in at]
        if len(at):
            view = StoredRows(self.view, live=True)
            found = active_learning.suggest(self.base, view, known, many)
        else:
            found = covering.cover(self.base, known, many)
        place = {key: row for row, key in enumerate(self.ids)}
        return [place[key] for key in found["id"]]

    def judged(self, drawn: str, at: np.ndarray) -> Outcome:
        """Make the view by the labels at `at`, and say what it is."""
        fit = Params().fit
        known, settings = self.known(at), fit.method_settings()
        train, held = known.split(fit.held_out, fit.seed)
        trial, made = (part.fit(fit.method, settings, fit.seed) for part in (train, known))
        told, seen = held.seen_by(trial), made.apply(*_read(self.rows))
        own = [{held.names[c]} for c in held.y]
        right = metrics.right(own, [trial.labels[c] for c in told.label])
        labels = np.array(made.labels)[seen.label]
        readings = {"label": labels, "confidence": seen.confidence, "novelty": seen.novelty}
        _write(self.view, pl.DataFrame({"id": self.ids, **readings}), seen.vectors)
        others = np.setdiff1d(np.arange(len(self.ids)), at)
        said = share_right(seen.confidence[others], Answers(right, told.confidence))
        assert said is not None
        hit, sure = (labels == self.truth)[others], seen.confidence[others]
        true = 100 * float(hit.mean())
        found = metrics.accuracy(right), said, _surest(hit, sure)
        return Outcome(drawn, len(at), true, *found)


def _surest(hit: np.ndarray, sure: np.ndarray) -> Surest | None:
    chosen = sure >= SURE
    if chosen.sum() < 30:
        return None
    share, true, said = chosen.mean(), hit[chosen].mean(), sure[chosen].mean()
    return Surest(100 * float(share), 100 * float(true), 100 * float(said))


def _read(rows: Rows) -> tuple[np.ndarray, np.ndarray | None, list[str] | None]:
    return rows.vectors, rows.features, rows.texts


def _write(table: Path, frame: pl.DataFrame, vectors: np.ndarray) -> None:
    made = arrow.assemble(frame, {tables.VECTOR: arrow.vector_array(vectors, "float32")})
    fragments = tables.write_fragments(table, made, {}, fresh=True)
    tables.publish(table, tables.commit_whole(table, made.schema, {}, fragments))


def outcomes(corpus: Corpus, sizes: list[int], seed: int) -> Iterator[Outcome]:
    """Label the corpus as the queue asks, a view after each round; and as chance has it."""
    at = np.empty(0, np.int64)
    for size in (size for size in ROUNDS if size <= max(sizes)):
        at = np.array([*at, *corpus.suggested(at, size - len(at))], np.int64)
        found = corpus.judged(SUGGESTED, at)
        if size in sizes:
            yield found
    order = np.random.default_rng(seed).permutation(len(corpus.ids))
    for size in sizes:
        yield corpus.judged(RANDOM, order[:size])


def table(found: list[Outcome]) -> str:
    """Return how far both figures are from the truth, in points, as a Markdown table."""
    lines = [
        "| labels | of them | views | true | held-out share: error | absolute | right: error"
        " | absolute | interval | holds the truth | sure of | truly right | error | absolute |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    kinds: dict[tuple[str, int], list[Outcome]] = defaultdict(list)
    for one in found:
        kinds[one.drawn, one.labels].append(one)
    for (drawn, labels), each in sorted(
        kinds.items(), key=lambda each: (each[0][0] == RANDOM, each[0][1])
    ):
        plain = np.array([one.held_out - one.true for one in each if one.held_out is not None])
        said = np.array([one.right.value - one.true for one in each])
        wide = np.mean([one.right.high - one.right.low for one in each])
        holds = sum(one.right.low <= one.true <= one.right.high for one in each)
        true = np.mean([one.true for one in each])
        lines.append(
            f"| {drawn} | {labels:,} | {len(each)} | {true:.1f} | {plain.mean():+.1f}"
            f" | {abs(plain).mean():.1f} | {said.mean():+.1f} | **{abs(said).mean():.1f}**"
            f" | ± {wide / 2:.0f} | {holds} | {_of_sure([one.surest for one in each])} |"
        )
    return "\n".join(lines)


def _of_sure(found: list[Surest | None]) -> str:
    """Return of how many texts views are sure, how many of these are right, and how far off."""
    there = [one for one in found if one is not None]
    if not there:
        return "– | – | – | –"
    off = np.array([one.said - one.true for one in there])
    share, true = (np.mean([getattr(one, key) for one in there]) for key in ("share", "true"))
    return f"{share:.0f} % | {true:.1f} | {off.mean():+.1f} | {abs(off).mean():.1f}"


def main() -> None:
    asked = _arguments()
    datasets.require(asked.data, sorted({aspect.partition(".")[0] for aspect in asked.aspects}))
    found: list[Outcome] = []
    for aspect in asked.aspects:
        for seed in asked.seeds:
            with tempfile.TemporaryDirectory(prefix="refract-right-") as folder:
                corpus = Corpus(Path(folder), aspect, asked, seed)
                found += outcomes(corpus, asked.labels, seed)
        say(f"{aspect}\n{table(found)}")
    print(f"\n{one_line()}\n\n{table(found)}")


def _arguments() -> argparse.Namespace:
    def numbers(said: str) -> list[int]:
        return [int(one) for one in said.split(",")]

    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--keep", type=Path, default=Path(".quality"), help="encoded texts")
    parser.add_argument("--aspects", type=lambda said: said.split(","), default=ASPECTS)
    parser.add_argument("--seeds", type=numbers, default=[1, 2], help="draws of texts")
    parser.add_argument("--labels", type=numbers, default=[50, 100, 200], help="of ROUNDS")
    parser.add_argument("--texts", type=int, default=3_000, help="of a corpus")
    asked = parser.parse_args()
    if not set(asked.labels) <= set(ROUNDS):
        parser.error(f"--labels: expected some of {', '.join(map(str, ROUNDS))}")
    return asked


if __name__ == "__main__":
    main()
