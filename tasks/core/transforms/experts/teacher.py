"""The pool before the corpus is read: what it says of texts without a label."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.core.numerics.tensors import as_tensor
from tasks.core.transforms.cross_validation import CrossValidation, Fold
from tasks.core.transforms.discriminant import Discriminant
from tasks.core.transforms.experts.kernel_ridge import KernelRidge
from tasks.core.transforms.experts.label_names import LabelNames
from tasks.core.transforms.experts.weights import LEAST, pooled
from tasks.core.transforms.plda import solve
from tasks.core.transforms.sample import Sample


class PooledTeacher:
    """Discriminant, kernel and names by their weights, on all labels or without those of a fold.

    corpus: (b, f) unit rows of texts without a label; new: (b,) the probability that their class
    is one never seen.
    """

    def __init__(
        self,
        sample: Sample,
        corpus: tuple[NDArray[np.float32], NDArray[np.float32]],
        gate: Discriminant,
        found: CrossValidation,
        ridge: KernelRidge,
        names: LabelNames | None,
        weights: dict[str, float],
    ) -> None:
        base, self.corpus = (as_tensor(rows) for rows in corpus)
        read = gate.parts(base, self.corpus)
        self.new, self._read = read.new[:, 0], read.p.log()
        self._found, self._ridge, self._weights = found, ridge, weights
        self._texts = as_tensor(sample.texts)
        self._phi = ridge.best.span.features(self.corpus) if "kernel" in weights else None
        self._names = {}
        if names is not None:
            x = as_tensor(sample.x)
            self._names = {"corpus": names.scores(base), "labelled": names.scores(x)}

    def of_corpus(self) -> Tensor:
        """Return p (b, k) of the corpus by all labels."""
        scores = {"discriminant": self._read}
        if self._phi is not None:
            scores["kernel"] = self._ridge.read(self._phi)
        return self._pooled(scores, "corpus")

    def without(self, fold: Fold) -> tuple[Tensor, Tensor]:
        """Return p of the corpus, and of the texts put away, by the labels of the others."""
        model = solve(fold.kept, self._found.shrinkage)
        warm = self._found.temperature
        said = [
            {"discriminant": (model.scores(x)[:, :-1] / warm).float().log_softmax(1)}
            for x in (self.corpus.double(), fold.x)
        ]
        if self._phi is not None:
            beta = self._ridge.without(torch.isin(self._texts, self._texts[fold.rows]))
            for scores, phi in zip(
                said, (self._phi, self._ridge.best.phi[:, fold.rows]), strict=True
            ):
                scores["kernel"] = self._ridge.read(phi, beta)
        around, away = said
        return self._pooled(around, "corpus"), self._pooled(away, "labelled", fold.rows)

    def _pooled(self, scores: dict[str, Tensor], which: str, rows: Tensor | None = None) -> Tensor:
        held = {name: each.clamp_min(LEAST) for name, each in scores.items()}
        if self._names:
            named = self._names[which]
            held["names"] = named if rows is None else named[rows]
        return pooled(held, self._weights).exp()
