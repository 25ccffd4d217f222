"""How strange a text is to those that are labelled: what features do not say of a new class.

Features keep what tells the known classes apart; a text of another class may look like one of
them there, and still lie far from every labelled text in the generic space. "Strangeness" as in
Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World", 2005.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from tasks.core.numerics.tensors import class_sums
from tasks.core.transforms.posterior_space import CHUNK

TEXTS = 128
"""Labelled texts that a new one is compared with. Measured with 512, 256, 128, 64, weight 1: kNN@10
of new classes 1.96, 2.01, 2.08, 2.24 below the base vectors (see WEIGHT), everything else within
0.3; with 128 instead of 512 a discriminant is applied 1.4 times as fast."""
WEIGHT = 1.25
"""Log-odds of "new" for a standard deviation. Measured on 12 aspects, half of the classes never
labelled, with weight 1, 1.25, 1.5: kNN@10 of new classes 2.08, 1.92, 1.83 below the base vectors,
their triplets 0.6, 0.7, 0.8 above (both 3 below without strangeness); on 14 aspects with all
labelled V 63.5, 63.1, 63.0, kNN@10 81.0, 80.9, 80.8."""
LEAST = 0.02  # of the spread: cosines that all agree would make anything strange
_SAME = 1 - 1e-5  # cosine from which a text is taken for a copy


@dataclass(frozen=True)
class NoveltyScorer:
    """What a residual r is compared with, by cosine.

    texts: (m, q) unit residuals of labelled texts; means: (k, q) unit means of the classes;
    level, spread: (2,), of the greatest cosine with either among labelled texts left out.
    """

    texts: Tensor
    means: Tensor
    level: Tensor
    spread: Tensor

    def of(self, r: Tensor) -> Tensor:
        """Return Σ_j (level_j - c_j)/spread_j, (c, 1), of residuals (c, q).

        c_1: the cosine with the nearest of the texts, c_2: with the nearest of the means.
        """
        u = torch.nn.functional.normalize(r, dim=1)
        return self._standard(_nearest(u @ self.texts.T, u @ self.means.T))

    def _standard(self, near: Tensor) -> Tensor:
        return ((self.level - near) / self.spread).sum(1, keepdim=True)

    def tensors(self) -> dict[str, Tensor]:
        """Return the fields by name, as they are stored."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def learn(r: Tensor, y: Tensor, n: Tensor) -> tuple[NoveltyScorer, Tensor]:
    """Learn from labelled texts; return also the strangeness of each, (t,), to the others.

    r: (t, q) residuals, sorted by class; y: (t,) classes; n: (k,) texts of each class. A text's
    copies are left out with it.
    """
    u = torch.nn.functional.normalize(r, dim=1)
    sums = class_sums(u, y, len(n))
    texts, means = u[_spread_out(n)], torch.nn.functional.normalize(sums, dim=1)
    near = torch.empty(len(u), 2)
    for start in range(0, len(u), CHUNK):
        part = slice(start, start + CHUNK)
        own, row = y[part], torch.arange(len(y[part]))
        apart, centred = u[part] @ texts.T, u[part] @ means.T
        apart[apart > _SAME] = -1
        rest = torch.nn.functional.normalize(sums[own] - u[part], dim=1)
        centred[row, own] = (u[part] * rest).sum(1)
        near[part] = _nearest(apart, centred)
    spread = near.std(0, correction=0).clamp_min(LEAST) / WEIGHT
    learnt = NoveltyScorer(texts.contiguous(), means, near.mean(0), spread)
    return learnt, learnt._standard(near)[:, 0]


def _nearest(texts: Tensor, means: Tensor) -> Tensor:
    return torch.stack([texts.amax(1), means.amax(1)], dim=1)


def _spread_out(n: Tensor) -> Tensor:
    """Choose rows of texts sorted by class: of each class its share of TEXTS, and at least one."""
    counts = n.long()
    size = counts.repeat_interleave(counts)
    place = torch.arange(len(size)) - (counts.cumsum(0) - counts).repeat_interleave(counts)
    share = (TEXTS * counts // counts.sum()).clamp(min=1).minimum(counts)
    share = share.repeat_interleave(counts)
    return torch.nonzero((place + 1) * share // size > place * share // size)[:, 0]
