"""What is seen of texts that are longer than the encoder reads: cut, or by windows.

Each window is encoded once, and again with attention at a lower temperature (TempScale: Zhou and
others, "Length-Induced Embedding Collapse in Transformer-based Models", 2024); "cut" is the first
window of a text. From these every way of pooling is made and judged.

Usage: python -m benchmarks.long_texts --data FOLDER --keep FOLDER
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from benchmarks import datasets
from benchmarks.encoded import Codes
from benchmarks.encoding import settings
from benchmarks.figures import judged
from benchmarks.machine import one_line
from benchmarks.measure import no_progress, say
from benchmarks.quality import fitted
from benchmarks.trials import Trial, trials
from tasks.core.encoding.encoder import decided, load_encoder
from tasks.core.encoding.features import fit_layer_pca
from tasks.core.encoding.label_names import say_names
from tasks.core.encoding.windows import Cutter
from tasks.core.numerics.rows import unit_rows
from tasks.core.query.encoder import load_table_encoder
from tasks.core.settings.params import Params
from tasks.core.transforms.base import Prediction

ASPECTS = {
    "newsgroups20_part": ("newsgroup", "group"),
    "reuters21578": ("topic",),
    "amazon_multidomain": ("category", "polarity"),
}
MOST = 32  # windows of a text
LONG, OTHERS = 800, 400  # texts of a set: longer than the encoder reads, and others
TEMPERATURES = (1.0, 0.8)
LABELS, POOL = 300, 400  # drawn, two of each class first, from so many texts; others are scored
DRAWS = 3  # of texts to label; all ways are given the same
METHODS = ("identity", "auto")


@dataclass(frozen=True)
class Windows:
    """Windows of the texts of a set, in their order.

    owner: (w,) the row of the text; pieces: (w,); vectors: (w, d), unit; states: (w, L, d).
    """

    owner: np.ndarray
    pieces: np.ndarray
    vectors: np.ndarray
    states: np.ndarray


def sampled(data: Path, name: str) -> pl.DataFrame:
    """Draw texts that all aspects of a set label, LONG of them longer than the encoder reads."""
    aspects = ASPECTS[name]
    rows = datasets.read(data, name).select("id", "text", *aspects).drop_nulls()
    for aspect in aspects:
        rows = rows.filter(pl.len().over(aspect) >= 2 * datasets.CLASS)
    rows = rows.sample(fraction=1.0, shuffle=True, seed=1)
    cutter = _cutter(load_encoder(settings("float32")))
    long = pl.Series([len(cutter.cut(text)[0]) > 1 for text in rows["text"]])
    say(f"{name}: {long.sum():,} of {len(rows):,} texts are long")
    return pl.concat([rows.filter(long)[:LONG], rows.filter(~long)[:OTHERS]]).sort("id")


def encoded(rows: pl.DataFrame, name: str, temperature: float, keep: Path) -> Windows:
    """Encode all windows of `rows` at a temperature of attention, or read them from `keep`."""
    file = keep / f"{name}.{temperature}.npz"
    if not file.is_file():
        _encode(rows["text"].to_list(), temperature, file)
    kept = np.load(file, allow_pickle=False)
    return Windows(**{part: kept[part] for part in ("owner", "pieces", "vectors", "states")})


def _encode(texts: Sequence[str], temperature: float, file: Path) -> None:
    encoder: Any = load_encoder(settings("float32"))
    cutter = _cutter(encoder)
    parts = [
        (row, text[w.start : w.stop], w.pieces)
        for row, text in enumerate(texts)
        for w in cutter.cut(text)[0]
    ]
    owner, said, pieces = zip(*parts, strict=True)
    precision = decided(settings(), said).precision
    load_encoder.cache_clear()
    encoder = load_encoder(settings("float32"))
    for layer in encoder._model[0].auto_model.encoder.layer:
        for one in (layer.attention.self.query.weight, layer.attention.self.query.bias):
            one.data /= temperature  # softmax(q·k / (temperature √d))
    if precision == "bfloat16":
        encoder.use("bfloat16")
    begun = time.process_time()
    found = encoder.encode(said, no_progress, np.copy)
    taken = time.process_time() - begun
    much = f"{len(texts):,} texts, {len(said):,} windows"
    say(f"{file.stem}: {much}, {taken:.0f} s of a core, {precision}")
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(".part.npz")
    np.savez(
        temporary,
        owner=np.array(owner),
        pieces=np.array(pieces),
        vectors=found.vectors,
        states=found.kept.astype(np.float16),
    )
    temporary.replace(file)


def _cutter(encoder: Any) -> Cutter:
    tokenizer = encoder._model.tokenizer
    room = encoder._model.max_seq_length - tokenizer.num_special_tokens_to_add(pair=False)
    return Cutter(tokenizer.backend_tokenizer, room, MOST)


@dataclass(frozen=True)
class Found:
    """Figures of one way to read long texts: of all scored texts, and of a fifth of them.

    fifth: 0 for all, else 1 (the shortest) to 5.
    """

    aspect: str
    way: str
    method: str
    fifth: int
    pieces: float
    v_measure: float
    triplets: float
    knn: float
    accuracy: float


def codes_of(windows: Windows, *, pooled: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors (n, d) and features (n, f): of all windows by length, or of the first."""
    n = int(windows.owner.max()) + 1
    first = np.searchsorted(windows.owner, np.arange(n))
    if not pooled:
        vectors, states = windows.vectors[first], windows.states[first].astype(np.float32)
    else:
        weights = windows.pieces / np.add.reduceat(windows.pieces, first)[windows.owner]
        vectors = np.add.reduceat(windows.vectors * weights[:, None], first)
        wide = windows.states.astype(np.float32) * weights[:, None, None].astype(np.float32)
        states = np.add.reduceat(wide, first)
    features = fit_layer_pca(states, Params().embed.feature_size).apply(states)
    return unit_rows(vectors), features.astype(np.float16)


def judge(rows: pl.DataFrame, name: str, keep: Path) -> Iterator[Found]:
    """Fit views of each way on DRAWS draws of LABELS labels, and judge them on the other texts."""
    cutter = _cutter(load_encoder(settings("float32")))
    lengths = pl.Series([_length(cutter, text) for text in rows["text"]])
    sized = rows.with_columns(pieces=lengths)
    for temperature in TEMPERATURES:
        windows = encoded(rows, name, temperature, keep)
        for pooled in (False, True):
            way = ("windows" if pooled else "cut") + ("" if temperature == 1 else ", TempScale")
            codes = Codes(
                {key: at for at, key in enumerate(rows["id"])}, *codes_of(windows, pooled=pooled)
            )
            for aspect in ASPECTS[name]:
                yield from _views(codes, sized, f"{name}.{aspect}", way)


def _views(codes: Codes, sized: pl.DataFrame, aspect: str, way: str) -> Iterator[Found]:
    rows = sized.select("id", "text", "pieces", label=pl.col(aspect.partition(".")[2]))
    said = _said(tuple(sorted(rows["label"].unique())))
    for draw in range(DRAWS):
        drawn = rows.sample(fraction=1.0, shuffle=True, seed=draw)
        split = datasets.Split(aspect, drawn[:POOL], drawn[POOL:])
        [trial] = trials(codes, split, [LABELS], ["labels"])
        pieces = split.held_out["pieces"].to_numpy()
        fifths = np.searchsorted(np.quantile(pieces, (0.2, 0.4, 0.6, 0.8)), pieces) + 1
        for method in METHODS:
            reading = fitted(method, trial, said, []).apply(*trial.scored)
            for fifth in range(6):
                seen = np.flatnonzero((fifths == fifth) | (fifth == 0))
                yield _judged(reading, trial, seen, pieces, (aspect, way, method, fifth))
        say(f"{aspect}, {way}, draw {draw}")


@lru_cache
def _said(names: tuple[str, ...]) -> np.ndarray:
    return say_names(names, load_encoder(settings("float32")))


def _judged(
    reading: Prediction,
    trial: Trial,
    seen: np.ndarray,
    pieces: np.ndarray,
    about: tuple[str, str, str, int],
) -> Found:
    parts = (reading.vectors, reading.label, reading.confidence, reading.novelty)
    some, known = Prediction(*(part[seen] for part in parts)), np.arange(trial.classes)
    found = judged(some, known, trial.truth[seen])
    figures = (found.v_measure, found.triplets, found.knn, found.accuracy or 0.0)
    return Found(*about, float(np.median(pieces[seen])), *figures)


def _length(cutter: Cutter, text: str) -> int:
    return sum(window.pieces for window in cutter.cut(text)[0])


def table(found: Sequence[Found]) -> str:
    """Lay out the mean of all draws: aspect by aspect, then the mean of aspects by fifths."""
    every = pl.DataFrame([asdict(one) for one in found])
    figures = ("v_measure", "triplets", "knn", "accuracy")
    means = [pl.col(name).mean().round(1) for name in figures]
    keys = ["aspect", "method", "way"]
    lines = [
        "| aspect | method | way | V | triplets | kNN@10 | right |",
        "|---|---|---|---|---|---|---|",
    ]
    whole = every.filter(pl.col("fifth") == 0)
    mean = whole.with_columns(aspect=pl.lit("mean"))
    for part in (whole, mean):
        for row in (
            part.group_by(keys, maintain_order=True)
            .agg(means)
            .sort("method", "aspect", maintain_order=True)
            .iter_rows()
        ):
            lines.append("| " + " | ".join(map(str, row)) + " |")
    lines += [
        "",
        "| fifth | pieces | method | way | V | triplets | kNN@10 | right |",
        "|---|---|---|---|---|---|---|---|",
    ]
    by = every.filter(pl.col("fifth") > 0).group_by("fifth", "method", "way", maintain_order=True)
    sized = by.agg(pl.col("pieces").mean().round(0).cast(int), *means).sort(
        "method", "fifth", maintain_order=True
    )
    for row in sized.select("fifth", "pieces", "method", "way", *figures).iter_rows():
        lines.append("| " + " | ".join(map(str, row)) + " |")
    return "\n".join(lines)


def say_rates(data: Path, name: str, many: int) -> None:
    """Say how many texts a second of a core are encoded, cut and by windows: any of the set."""
    torch.set_num_threads(1)
    texts = datasets.read(data, name).sample(many, shuffle=True, seed=1)["text"].to_list()
    for long in ("cut", "windows"):
        own = settings("float32").model_copy(update={"long": long})
        encoder = load_table_encoder(own)
        encoder.encode(texts[:8], no_progress, np.copy)
        begun = time.process_time()
        found = encoder.encode(texts, no_progress, np.copy)
        rate = many / (time.process_time() - begun)
        windowed = 0 if found.windowed is None else int(found.windowed.sum())
        say(f"{name}, {long}: {rate:.1f} texts/s; {windowed} by windows, {found.truncated} cut")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--keep", type=Path, default=Path(".long"), help="encoded windows")
    parser.add_argument("--sets", default=",".join(ASPECTS), help="such as reuters21578")
    parser.add_argument("--json", type=Path, help="write all figures to this file, too")
    parser.add_argument("--rates", type=int, help="rates alone, of so many texts a set")
    asked = parser.parse_args()
    names = asked.sets.split(",")
    datasets.require(asked.data, names)
    if asked.rates:
        for name in names:
            say_rates(asked.data, name, asked.rates)
        print(one_line())
        return
    found = [one for name in names for one in judge(sampled(asked.data, name), name, asked.keep)]
    if asked.json:
        asked.json.write_text(json.dumps([asdict(one) for one in found]) + "\n", "utf-8")
    print(f"\n{one_line()}\n\n{table(found)}")


if __name__ == "__main__":
    main()
