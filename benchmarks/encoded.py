"""Real texts encoded once, as the pipeline stores them, and kept for the next run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks import datasets
from benchmarks.encoding import decided, settings
from benchmarks.measure import no_progress, say
from tasks.core.encoding.encoder import load_encoder
from tasks.core.encoding.features import SAMPLE
from tasks.core.encoding.featurizer import fit_coder
from tasks.core.encoding.label_names import say_names
from tasks.core.numerics.rows import unit_rows
from tasks.core.settings.params import Params


@dataclass(frozen=True)
class Codes:
    """Vectors (n, d) and features (n, f) of texts, float16, and the row of each id."""

    row: dict[str, int]
    vectors: np.ndarray
    features: np.ndarray

    def of(self, rows: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return vectors and features of `rows`, as a transform meets them."""
        at = [self.row[key] for key in rows["id"]]
        return unit_rows(self.vectors[at]), unit_rows(self.features[at])


def encoded(data: Path, name: str, splits: list[datasets.Split], folder: Path) -> Codes:
    """Encode all texts of `splits`, of one set; the map of the features is fitted on a sample."""
    file = folder / f"{name}.npz"
    parts = [part for split in splits for part in (split.labelled, split.held_out)]
    rows = pl.concat([part.select("id", "text") for part in parts]).unique("id").sort("id")
    if not file.is_file():
        say(f"{name}: encoding {len(rows):,} texts")
        _encode(rows, folder, file)
    kept = np.load(file, allow_pickle=False)
    row = {key: at for at, key in enumerate(kept["ids"].tolist())}
    if missing := [key for key in rows["id"] if key not in row]:
        raise SystemExit(f"{file}: {len(missing)} texts are not in it; remove it")
    return Codes(row, kept["vectors"], kept["features"])


def spoken(name: str, split: datasets.Split, folder: Path) -> np.ndarray:
    """Return what the encoder makes of the names of an aspect's labels, (k, t, d), sorted."""
    file = folder / f"{name}.{split.aspect}.names.npz"
    both = (split.labelled, split.held_out)
    names = sorted({label for part in both for label in part["label"]})
    if not file.is_file():
        encoder = load_encoder(settings("float32"))
        folder.mkdir(parents=True, exist_ok=True)
        temporary = file.with_suffix(".part.npz")
        np.savez(temporary, names=np.array(names), vectors=say_names(names, encoder))
        temporary.replace(file)
    kept = np.load(file, allow_pickle=False)
    row = {name: at for at, name in enumerate(kept["names"].tolist())}
    if missing := [name for name in names if name not in row]:
        raise SystemExit(f"{file}: {len(missing)} names are not in it; remove it")
    found: np.ndarray = kept["vectors"][[row[name] for name in names]]
    return found


def _encode(rows: pl.DataFrame, folder: Path, file: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    sample = rows.sample(min(SAMPLE, len(rows)), seed=0)
    encoder = decided(sample["text"].to_list())
    size = Params().embed.feature_size
    memory = folder / "sample.safetensors"
    coder = fit_coder(encoder, dict(sample.iter_rows()), size, memory, no_progress)
    memory.unlink(missing_ok=True)
    (vectors, features), *_ = coder.code(rows["text"].to_list(), no_progress)
    ids = rows["id"].to_numpy().astype(np.str_)
    temporary = file.with_suffix(".part.npz")
    np.savez(
        temporary, ids=ids, vectors=vectors.astype(np.float16), features=features.astype(np.float16)
    )
    temporary.replace(file)
