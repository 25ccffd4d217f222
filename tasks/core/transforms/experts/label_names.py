"""What the names of the labels say of a text: how near it is to each, in the generic space.

A name says little where labels are many, much where they are few, and nothing where it is "A" or
"c1": the pool weighs it. Zero-shot classification by the encoder alone, as in Yin, Hay and Roth,
"Benchmarking Zero-shot Text Classification", EMNLP 2019.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from tasks.core.numerics.tensors import unit_times

LEAST = 1e-6  # length, or spread of scores, below which there is no direction, or no difference


class _Plan(NamedTuple):
    """x · both = [x·x̄, x·n_1, …, x·n_k]; centre: x̄·n_c; norm: x̄·x̄."""

    both: Tensor
    centre: Tensor
    norm: float


@dataclass(frozen=True)
class LabelNames:
    """Directions n_c of names (d, k), x̄ (d,), and mean (k,) and spread of scores in the corpus."""

    directions: Tensor
    centre: Tensor
    level: Tensor
    spread: Tensor

    def scores(self, x: Tensor) -> Tensor:
        """Return s_c(x) = (cos(x - x̄, n_c) - m_c)/s, (n, k), of unit rows x (n, d)."""
        return (self._cosines(x) - self.level) / self.spread

    def _cosines(self, x: Tensor) -> Tensor:
        plan = self._plan
        shadow = unit_times(x, plan.both)
        distance = (1 - 2 * shadow[:, :1] + plan.norm).clamp_min(0)
        return (shadow[:, 1:] - plan.centre) * torch.where(distance > LEAST, distance.rsqrt(), 0)

    @cached_property
    def _plan(self) -> _Plan:
        both = torch.cat([self.centre[:, None], self.directions], dim=1)
        return _Plan(both, self.centre @ self.directions, float(self.centre @ self.centre))

    def tensors(self) -> dict[str, Tensor]:
        """Return the fields by name, as they are stored."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def read_names(names: Tensor, corpus: Tensor) -> LabelNames | None:
    """Learn, without any label, what is usual in the corpus; None where the names do not differ.

    names: (k, t, d), each label's name said in t ways: each way is centred over the names, so that
    what all share goes, scaled to length 1, and their mean taken. corpus: (b, d) unit rows.
    """
    apart = names - names.mean(0, keepdim=True)
    if len(names) < 2 or float(apart.norm(dim=2).amax()) < LEAST:
        return None
    apart = torch.nn.functional.normalize(apart, dim=2, eps=LEAST)
    directions = torch.nn.functional.normalize(apart.mean(1), dim=1, eps=LEAST).T.contiguous()
    centre, k = corpus.mean(0), len(names)
    plain = LabelNames(directions, centre, corpus.new_zeros(k), corpus.new_ones(1))
    found = plain.scores(corpus)
    level = found.mean(0)
    spread = (found - level).square().mean().sqrt().clamp_min(LEAST).reshape(1)
    return LabelNames(directions, centre, level, spread)
