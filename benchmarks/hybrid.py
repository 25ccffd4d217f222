"""What searching by words beside vectors gains in a view, and what the texts cost there.

Usage: python -m benchmarks.hybrid --data FOLDER [--keep DIR] [--only ASPECT ...]
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lancedb
import numpy as np
import polars as pl

from benchmarks import datasets
from benchmarks.encoded import encoded
from benchmarks.machine import one_line
from tasks.core.numerics.rows import unit_rows
from tasks.core.query.encoder import load_query_encoder
from tasks.core.settings.params import Params
from tasks.core.store import arrow, index, tables
from tasks.core.transforms.base import Transform, fit
from tasks.core.transforms.training_set import BACKGROUND

ASPECTS = (
    ("airline_tweets", "sentiment"),
    ("banking77", "intent"),
    ("clinc150", "domain"),
    ("crisislex_t26", "information_type"),
    ("amazon_multidomain", "category"),
    ("reuters21578", "topic"),
)
LABELS, QUERIES, ITEMS, K, SEED = 1_000, 300, 150, 10, 1
COST = ("agnews_partial", 50_000)  # a set, and how many of its texts are stored
WAYS = ("view", "words", "view and words", "base", "base and words")
Ask = Callable[[str, np.ndarray, np.ndarray], list[str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--keep", type=Path, default=Path(".quality"), help="encoded texts")
    parser.add_argument("--only", nargs="*", help="aspects, or 'cost'; by default all")
    asked = parser.parse_args()
    some = [(name, one) for name, one in ASPECTS if not asked.only or one in asked.only]
    datasets.require(asked.data, [name for name, _ in some])
    print(one_line())
    print(f"\n| aspect | asked by | {' | '.join(WAYS)} |\n|---|---|{'--:|' * len(WAYS)}")
    for name, aspect in some:
        for kind, figures in _compared(asked, name, aspect).items():
            shown = " | ".join(f"{100 * figure:.1f}" for figure in figures)
            print(f"| {name} {aspect} | {kind} | {shown} |", flush=True)
    if not asked.only or "cost" in asked.only:
        _cost(asked.data)


def _compared(asked: argparse.Namespace, name: str, aspect: str) -> dict[str, list[float]]:
    split = datasets.split(asked.data, name, aspect)
    codes = encoded(asked.data, name, [split], asked.keep)
    x, labels = codes.of(split.labelled)[0][:LABELS], split.labelled["label"][:LABELS]
    queries, corpus = split.held_out[:QUERIES], split.held_out[QUERIES:]
    stored = codes.of(corpus)[0]
    transform = _fitted(x, labels.to_list(), stored, split.labelled["text"][:LABELS].to_list())
    numbered, rows = _numbered(corpus)
    encoder = load_query_encoder(Params().embed)

    def vectors(texts: list[str]) -> np.ndarray:
        return encoder.encode(texts, lambda _: None).vectors

    stored[rows] = vectors([numbered["text"][row] for row in rows.tolist()])
    seen = _seen(transform, stored, numbered["text"].to_list())
    with tempfile.TemporaryDirectory() as folder:
        table = _table(Path(folder), numbered, seen, stored)
        label_of = dict(zip(corpus["id"], corpus["label"], strict=True))
        x, texts = codes.of(queries)[0], queries["text"].to_list()
        points = _seen(transform, x, texts)
        agreement = [
            np.mean([
                np.mean([label_of[key] == label for key in way(text, point, base)] or [0.0])
                for text, point, base, label in zip(texts, points, x, queries["label"], strict=True)
            ])
            for way in _ways(table)
        ]  # fmt: skip
        found = {"a held-out text: same label among 10": agreement}
        for kind, items in (("its rare words", _rare(corpus)), ("its number", _numbers(numbered))):
            texts, wanted = list(items), list(items.values())
            base = vectors(texts)
            points = _seen(transform, base, texts)
            found[f"{kind}: found among 10"] = [
                np.mean([
                    key in way(text, point, x)
                    for text, point, x, key in zip(texts, points, base, wanted, strict=True)
                ])
                for way in _ways(table)
            ]  # fmt: skip
    return found


def _fitted(x: np.ndarray, labels: list[str], corpus: np.ndarray, texts: list[str]) -> Transform:
    names, y = np.unique(labels, return_inverse=True)
    settings = Params().fit.method_settings()
    return fit("auto", x, y, tuple(names), corpus[:BACKGROUND], settings, SEED, texts=texts)


def _seen(transform: Transform, x: np.ndarray, texts: list[str]) -> np.ndarray:
    return transform.apply(x, None, texts if transform.reads_text else None).vectors


def _numbered(corpus: pl.DataFrame) -> tuple[pl.DataFrame, np.ndarray]:
    """Return the corpus in which some texts name an order, and the rows of these."""
    rows = np.random.default_rng(SEED).choice(len(corpus), ITEMS, replace=False)
    texts = corpus["text"].to_list()
    for n, row in enumerate(rows.tolist()):
        texts[row] += f" My order is AB-{1_234 + 37 * n}."
    return corpus.with_columns(text=pl.Series(texts)), rows


def _numbers(corpus: pl.DataFrame) -> dict[str, str]:
    pairs = zip(corpus["text"], corpus["id"], strict=True)
    said = ((re.search(r" My order is (AB-\d+)\.$", text), key) for text, key in pairs)
    return {f"order {found[1]}": key for found, key in said if found}


def _rare(corpus: pl.DataFrame) -> dict[str, str]:
    """Return two words that are rare each, of some texts, by which to find them again."""
    words = [sorted(set(re.findall(r"[^\W\d_]{4,}", text.lower()))) for text in corpus["text"]]
    many = Counter(word for each in words for word in each)
    found = {}
    for at in np.random.default_rng(SEED + 1).permutation(len(words)).tolist():
        rare = sorted(words[at], key=lambda word: (many[word], word))[:2]
        if len(rare) == 2 and many[rare[1]] <= 5 and len(found) < ITEMS:
            found[" ".join(rare)] = corpus["id"][at]
    return found


def _table(folder: Path, rows: pl.DataFrame, seen: np.ndarray, base: np.ndarray) -> Any:
    made = arrow.assemble(
        rows.select("id", "text"),
        {
            "vector": arrow.vector_array(seen, "float16"),
            "base": arrow.vector_array(base, "float16"),
        },
    )
    place = folder / "rows.lance"
    tables.commit_whole(place, made.schema, {}, tables.write_fragments(place, made, {}, fresh=True))
    index.index_words(place)
    return lancedb.connect(folder).open_table("rows")


def _ways(table: Any) -> list[Ask]:
    """Return what finds ids by a text, its vector in the view, and its base vector: `WAYS`."""

    def ids(found: Any) -> list[str]:
        keys: list[str] = found.limit(K).to_arrow()["id"].to_pylist()
        return keys

    def near(column: str, vector: np.ndarray) -> list[str]:
        found = table.search(vector.astype(np.float32), vector_column_name=column)
        return ids(found.distance_type("cosine"))

    def hybrid(column: str, vector: np.ndarray, text: str) -> list[str]:
        found = table.search(query_type="hybrid", vector_column_name=column)
        return ids(found.vector(vector.astype(np.float32)).text(text).distance_type("cosine"))

    return [
        lambda _, point, __: near("vector", point),
        lambda text, _, __: ids(table.search(text, query_type="fts")),
        lambda text, point, _: hybrid("vector", point, text),
        lambda _, __, base: near("base", base),
        lambda text, _, base: hybrid("base", base, text),
    ]


def _cost(data: Path) -> None:
    name, many = COST
    texts = datasets.read(data, name)["text"][:many].to_list()
    vectors = unit_rows(np.random.default_rng(SEED).standard_normal((len(texts), 68)))
    vector = {"vector": arrow.vector_array(vectors, "float16")}
    without = pl.DataFrame({"id": [f"{n:08d}" for n in range(len(texts))]})
    print(
        f"\n{len(texts):,} texts of {name}, {np.mean([len(t.encode()) for t in texts]):.0f} bytes"
    )
    print("\n| table of 68 dimensions | bytes a row | CPU s |\n|---|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        place, before = Path(folder) / "rows.lance", 0
        for what, rows in (("without texts", without), ("with them", _with(without, texts))):
            begun, made = time.process_time(), arrow.assemble(rows, vector)
            parts = tables.write_fragments(place, made, {}, fresh=True)
            tables.commit_whole(place, made.schema, {}, parts)
            before = _row(what, place, before, len(texts), begun)
        begun = time.process_time()
        index.index_words(place)
        _row("an index of their words", place, before, len(texts), begun)


def _with(rows: pl.DataFrame, texts: list[str]) -> pl.DataFrame:
    return rows.with_columns(text=pl.Series(texts))


def _row(what: str, place: Path, before: int, many: int, begun: float) -> int:
    taken = time.process_time() - begun
    size = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
    print(f"| {what} | {(size - before) / many:.0f} | {taken:.2f} |", flush=True)
    return size


if __name__ == "__main__":
    main()
