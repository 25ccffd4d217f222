"""How far the closed forms are from a small network that is trained on the same numbers.

Usage: python -m benchmarks.upper_bound --data FOLDER [--keep DIR] [--aspects NAME,…] [--labels N]

Two layers read vector and features of a text; half of the loss is cross-entropy, half supervised
contrastive (Khosla and others, "Supervised Contrastive Learning", NeurIPS 2020). The epoch is the
one of least log-loss on a fifth of the labels, and then all of them are learnt for as long. Its
posterior is laid out as that of the pool is, so that only what is said of the labels differs.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks import datasets
from benchmarks.encoded import encoded, spoken
from benchmarks.figures import Figures, judged
from benchmarks.machine import one_line
from benchmarks.measure import say
from benchmarks.quality import ASPECTS, KEPT, fitted
from benchmarks.trials import Trial, trials
from tasks.core.numerics.split import stratified_split
from tasks.core.transforms.base import Prediction
from tasks.core.transforms.discriminant import residual_basis
from tasks.core.transforms.posterior_space import PosteriorParts, embed_posterior

HIDDEN, SIZE, EPOCHS, BATCH, RATE, DECAY, DROPOUT = 512, 128, 60, 128, 1e-3, 1e-2, 0.3
SHARP = 0.1  # temperature of the contrastive loss, as in the paper
RESIDUAL, FLOOR = 64, 0.05  # as the discriminant has them by default
SEED = 1


class Network(nn.Module):
    """Two layers to an embedding of length 1, and a linear layer to classes."""

    def __init__(self, size: int, classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(size, HIDDEN), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(HIDDEN, SIZE)
        )
        self.head = nn.Linear(SIZE, classes)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        body = self.body(x)
        return nn.functional.normalize(body, dim=1), self.head(torch.relu(body))


@dataclass(frozen=True)
class Outcome:
    aspect: str
    way: str
    figures: Figures
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--keep", type=Path, default=Path(os.environ.get(KEPT, ".quality")))
    parser.add_argument("--aspects", type=lambda said: said.split(","), help="parts of names")
    parser.add_argument("--labels", type=int, default=3_000)
    parser.add_argument("--held-out", type=int, default=2_000, help="texts scored")
    outcomes = list(_outcomes(parser.parse_args()))
    print(f"\n{one_line()}\n\n| aspect | way | V-measure | triplets | kNN@10 | accuracy | s |")
    print("|---|---|--:|--:|--:|--:|--:|")
    for one in outcomes:
        print(f"| {one.aspect} | {one.way} | {_cells([one])} |")
    for way in dict.fromkeys(one.way for one in outcomes):
        own = [one for one in outcomes if one.way == way]
        print(f"| **mean of {len(own)}** | {way} | {_cells(own)} |")


def _outcomes(asked: argparse.Namespace) -> Iterator[Outcome]:
    for name, aspects in ASPECTS.items():
        wanted = asked.aspects or [""]
        some = [a for a in aspects if any(part in f"{name}.{a}" for part in wanted)]
        if not some:
            continue
        datasets.require(asked.data, [name])
        splits = {a: datasets.split(asked.data, name, a) for a in aspects}
        splits = {
            a: replace(split, held_out=split.held_out[: asked.held_out])
            for a, split in splits.items()
        }
        codes = encoded(asked.data, name, list(splits.values()), asked.keep)
        for aspect in some:
            split = splits[aspect]
            said = spoken(name, split, asked.keep)
            trial = next(trials(codes, split, [asked.labels], ["labels"]))
            for way in ("pool without words", "pool", "network"):
                begun = time.process_time()
                reading, known = _read(way, trial, said)
                taken = time.process_time() - begun
                found = judged(reading, known, trial.truth)
                yield Outcome(f"{name} {aspect}", way, found, taken)
                say(f"{name} {aspect} | {way} | {_cells([Outcome('', way, found, taken)])}")


def _read(way: str, trial: Trial, said: np.ndarray) -> tuple[Prediction, np.ndarray]:
    if way == "network":
        return _by_network(trial)
    without = ["words"] if way == "pool without words" else []
    made = fitted("auto", trial, said, without)
    return made.apply(*trial.scored), np.array([int(label) for label in made.labels])


def _by_network(trial: Trial) -> tuple[Prediction, np.ndarray]:
    """Learn for as many epochs as are best for labels put away, and read the scored texts."""
    known, y = np.unique(trial.y, return_inverse=True)
    learnt, asked = (
        torch.from_numpy(np.concatenate(each[:2], axis=1).astype(np.float32))
        for each in (trial.known, trial.scored)
    )
    truth, k = torch.from_numpy(y), len(known)
    train, away = (torch.from_numpy(rows) for rows in stratified_split(y, 0.2, SEED))
    losses = [
        float(nn.functional.cross_entropy(net(learnt[away])[1], truth[away]))
        for net in _epochs(learnt[train], truth[train], k, EPOCHS)
    ]
    epochs = int(np.argmin(losses)) + 1
    *_, best = _epochs(learnt, truth, k, epochs)
    with torch.no_grad():
        p = best(asked)[1].softmax(1)
    basis, centre = residual_basis(torch.from_numpy(trial.corpus[0]), RESIDUAL)
    x = torch.from_numpy(trial.scored[0])
    r = nn.functional.normalize(x - centre, dim=1) @ basis.float()
    new = torch.full((len(p), 1), 1e-3)
    size = k + RESIDUAL
    return embed_posterior(
        len(p), size, lambda part: PosteriorParts(p[part], new[part], r[part]), FLOOR
    ), known


def _epochs(x: Tensor, y: Tensor, k: int, epochs: int) -> Iterator[Network]:
    """Train, and hand out the network after each epoch, set to read."""
    torch.manual_seed(SEED)
    random, net = np.random.default_rng(SEED), Network(x.shape[1], k)
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
    for _ in range(epochs):
        net.train()
        order = random.permutation(len(x))
        for start in range(0, len(order) - 1, BATCH):
            rows = torch.from_numpy(order[start : start + BATCH])
            z, scores = net(x[rows])
            loss = nn.functional.cross_entropy(scores, y[rows]) + _contrast(z, y[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        net.eval()
        with torch.no_grad():
            yield net


def _contrast(z: Tensor, y: Tensor) -> Tensor:
    """Return the supervised contrastive loss of unit rows, over texts that have one of their label.

    -mean_i mean_{j of i's label} ln (exp(z_i·z_j/τ) / Σ_{l ≠ i} exp(z_i·z_l/τ)).
    """
    own = torch.eye(len(z), dtype=torch.bool)
    log_p = (z @ z.T / SHARP).masked_fill(own, -1e9).log_softmax(1)
    same = (y[:, None] == y[None]) & ~own
    many = same.sum(1)
    loss = -(log_p * same).sum(1)[many > 0] / many[many > 0]
    return loss.mean() if len(loss) else z.sum() * 0


def _cells(outcomes: list[Outcome]) -> str:
    found = [one.figures for one in outcomes]
    means = [
        np.mean([getattr(each, key) for each in found])
        for key in ("v_measure", "triplets", "knn", "accuracy")
    ]
    seconds = np.mean([one.seconds for one in outcomes])
    return " | ".join([*(f"{mean:.1f}" for mean in means), f"{seconds:.1f}"])


if __name__ == "__main__":
    main()
