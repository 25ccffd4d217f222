"""Labels that are wrong by chance, told by texts left out: the pool is made as sharp as without.

Where a fifth of the labels is wrong, a posterior that foretells labels as they are given is never
sure of one, and what is never sure is laid out between the classes. So a label is taken for right
with probability 1 - η, and for drawn as often as labels are given otherwise (Angluin and Laird,
"Learning from Noisy Examples", 1988); Bootkrajang and Kabán, "Label-Noise Robust Logistic
Regression and Its Applications", ECML PKDD 2012, for a posterior behind such a mixture.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from tasks.core.transforms.experts.weights import pooled

SHARPER = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0)  # β
SAVED = 2.0
"""Nats over all texts left out that β and η must save together, above either alone: one number that
explains nothing saves as much in one case of twenty."""
HALVINGS = 30  # of the interval in which η lies


class Sharpened(NamedTuple):
    """β w_e by expert, and η, the share of the labels that is taken for drawn by chance."""

    weights: dict[str, float]
    drawn_by_chance: float


def sharpened(
    weights: Mapping[str, float], scores: Mapping[str, Tensor], truth: Tensor
) -> Sharpened:
    """Return β w_e and η for the least -Σ ln[(1-η) p(y) + η n_y/n], p ∝ exp Σ_e β w_e s_e.

    β = 1 and η = 0 where hard texts explain the labels as well as wrong ones do.
    scores: s_e (n, k) of texts left out; truth: y (n,).
    """
    log_p = pooled(scores, weights).double()
    n, k = log_p.shape
    chance = (torch.bincount(truth, minlength=k).double() / n)[truth]
    least = 1 / (n + 2)  # share of p that is spread over all classes, as `fit_temperature` has it
    alone, together, drawn = [], [], []
    for beta in SHARPER:
        p = (beta * log_p).log_softmax(1).gather(1, truth[:, None])[:, 0].exp()
        right = (1 - least) * p + least / k
        wrong = _wrong(right, chance)
        drawn.append(wrong)
        alone.append(-float(right.log().sum()))
        together.append(-float(((1 - wrong) * right + wrong * chance).log().sum()))
    best = min(range(len(SHARPER)), key=lambda at: together[at])
    saved = min(together[0], *alone) - together[best]
    beta, eta = (SHARPER[best], drawn[best]) if saved >= SAVED else (1.0, 0.0)
    return Sharpened({name: beta * weight for name, weight in weights.items()}, eta)


def _wrong(right: Tensor, chance: Tensor) -> float:
    """Return the η of greatest Σ ln[(1-η) right + η chance], concave in η; both (n,), above 0."""
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        eta = (low + high) / 2
        slope = float(((chance - right) / ((1 - eta) * right + eta * chance)).sum())
        low, high = (eta, high) if slope > 0 else (low, eta)
    return low
