"""Texts with several labels: what it is worth to give a transform all of them.

Usage: python -m benchmarks.several --data FOLDER [--keep DIR] [--method auto]
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks import datasets
from benchmarks.encoded import Codes, encoded
from benchmarks.encoding import settings
from benchmarks.machine import one_line
from tasks.core.encoding.encoder import load_encoder
from tasks.core.encoding.label_names import say_names
from tasks.core.labels.multilabel import joined, members
from tasks.core.numerics.rows import unit_rows
from tasks.core.settings.params import Params
from tasks.core.transforms.base import fit
from tasks.core.transforms.training_set import BACKGROUND

ASPECTS = {"reuters21578": ("topics_all", "places_all"), "goemotions": ("emotion_all",)}
HELD_OUT = 3_000
TRIPLETS = 40_000
NEIGHBOURS = 10
SEED = 1
GIVEN = ("all labels", "the first", "texts with one label", "each combination a label")
Rows = list[tuple[str, str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--keep", type=Path, default=Path(".quality"), help="encoded texts")
    parser.add_argument("--method", default="auto")
    asked = parser.parse_args()
    datasets.require(asked.data, list(ASPECTS))
    print(f"{one_line()}\n\n| texts | labels | several | given | kNN@10 | triplets |")
    print("|---|--:|--:|---|--:|--:|")
    for name, aspects in ASPECTS.items():
        splits = [_split(asked.data, name, aspect) for aspect in aspects]
        codes = encoded(asked.data, name, splits, asked.keep / "several")
        for split in splits:
            for line in _lines(codes, split, asked.method):
                print(f"| {name} {split.aspect} | {line} |", flush=True)


def _split(data: Path, name: str, aspect: str) -> datasets.Split:
    """Keep labels of enough texts; the sets part the labels of a text by '|'."""
    rows = datasets.read(data, name).select("id", "text", label=aspect).drop_nulls()
    each = [label.split("|") for label in rows["label"]]
    texts = Counter(label for labels in each for label in labels)
    kept = [joined(one for one in labels if texts[one] >= datasets.CLASS) for labels in each]
    rows = rows.with_columns(label=pl.Series(kept, dtype=pl.String)).filter(pl.col("label") != "")
    order = np.random.default_rng(SEED).permutation(len(rows))
    n = datasets.LABELS
    return datasets.Split(aspect, rows[order[:n]], rows[order[n : n + HELD_OUT]])


def _lines(codes: Codes, split: datasets.Split, method: str) -> Iterator[str]:
    held, rich = codes.of(split.held_out)
    each = [members(label) for label in split.held_out["label"]]
    several = f"{np.mean([len(labels) > 1 for labels in each]):.1%}"
    about = f"{len({one for labels in each for one in labels})} | {several}"
    agree = _agreement(each)
    yield f"{about} | base vectors | {_scores(held, agree)}"
    rows = list(split.labelled.select("id", "label").iter_rows())
    text_of = dict(split.labelled.select("id", "text").iter_rows())
    texts, encoder = split.held_out["text"].to_list(), load_encoder(settings("float32"))
    fit_settings = Params().fit.model_copy(update={"method": method})
    for given in GIVEN:
        used = _given(given, rows)
        frame = pl.DataFrame(used, schema=["id", "label"], orient="row")
        names, y = np.unique(frame["label"].to_list(), return_inverse=True)
        x, features = codes.of(frame)
        made = fit(
            method,
            x,
            y,
            tuple(names.tolist()),
            held[:BACKGROUND],
            fit_settings.method_settings(),
            SEED,
            features,
            beside=rich[:BACKGROUND],
            names=say_names(names.tolist(), encoder),
            texts=[text_of[key] for key in frame["id"]],
        )
        found = made.apply(held, rich, texts if made.reads_text else None)
        yield f"{about} | {given} | {_scores(found.vectors, agree)}"


def _given(how: str, rows: Rows) -> Rows:
    """Return the labels that a fit is given, a row each."""
    if how == "all labels":
        return [(key, one) for key, label in rows for one in members(label)]
    if how == "the first":
        return [(key, members(label)[0]) for key, label in rows]
    if how == "texts with one label":
        return [(key, label) for key, label in rows if len(members(label)) == 1]
    return rows


def _agreement(each: list[tuple[str, ...]]) -> np.ndarray:
    """Return which texts share a label, (n, n)."""
    names = sorted({one for labels in each for one in labels})
    has = np.array([[name in labels for name in names] for labels in each], np.float32)
    agree: np.ndarray = has @ has.T > 0
    return agree


def _scores(vectors: np.ndarray, agree: np.ndarray) -> str:
    """Return the shares of neighbours, and of triplets, that are right: that share a label."""
    x = unit_rows(vectors)
    close = x @ x.T
    np.fill_diagonal(close, -np.inf)
    nearest = np.argpartition(-close, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    knn = np.take_along_axis(agree, nearest, 1).mean()
    a, p, q = np.random.default_rng(SEED).integers(len(x), size=(3, TRIPLETS))
    meant = agree[a, p] & (a != p) & ~agree[a, q]
    triplets = (close[a, p] > close[a, q])[meant].mean()
    return f"{100 * knn:.1f} | {100 * triplets:.1f}"


if __name__ == "__main__":
    main()
