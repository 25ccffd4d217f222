"""The pool: what several experts say of a text, each with the weight that it has earned.

The discriminant, a kernel, the names of the labels, a discriminant that has read the corpus, and
the words of the texts.
Novelty and residual are the first one's: see `Discriminant`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import torch
from numpy.typing import NDArray

from tasks.core.numerics.tensors import as_tensor
from tasks.core.settings.calibrated import CalibratedPool, Worth
from tasks.core.settings.fit_section import DiscriminantSettings, KernelSettings
from tasks.core.settings.section import Section
from tasks.core.transforms.base import Prediction, Transform, features_for, texts_for
from tasks.core.transforms.cross_validation import CrossValidation
from tasks.core.transforms.discriminant import Discriminant, fit_cross_validated
from tasks.core.transforms.experts.asked import Experts
from tasks.core.transforms.experts.doubt import alone, choose_doubt
from tasks.core.transforms.experts.kernel_ridge import regress
from tasks.core.transforms.experts.label_names import LabelNames, read_names
from tasks.core.transforms.experts.self_training import read_corpus, teach
from tasks.core.transforms.experts.teacher import PooledTeacher
from tasks.core.transforms.experts.weights import LEAST, earned, pool, pooled
from tasks.core.transforms.experts.words import read_words
from tasks.core.transforms.experts.wrong_labels import sharpened
from tasks.core.transforms.posterior_space import DOUBT, PosteriorParts, embed_posterior
from tasks.core.transforms.sample import Sample

FIRST = {"discriminant": 0.1, "kernel": 0.2, "names": 0.2, "corpus": 0.6, "words": 0.1}
"""Weights to start from, and to stay near where texts left out are few."""
MANY = 8_192  # labelled texts from which a sample of the corpus tells little that they do not

CLASSES = 500  # from which reading the corpus takes many seconds: 20 of a core for 2,000


class AutoSettings(Section):
    """Settings of the experts that have some."""

    discriminant: DiscriminantSettings = DiscriminantSettings()
    kernel: KernelSettings = KernelSettings()


class Pool(Transform):
    """A fitted pool; see `read` for the formula."""

    method = "pool"
    begins_with_posterior = True
    Settings = AutoSettings
    Calibrated = CalibratedPool

    def __init__(
        self,
        gate: Discriminant,
        experts: Experts,
        weights: Mapping[str, float],
        worth: Sequence[Worth],
        loss: float | None,
        doubt: float,
        drawn_by_chance: float | None,
    ) -> None:
        """weights: w_e of each expert that is asked; worth: of each that was tried; loss: the
        log-loss in nats a text left out, if any was; doubt: c, see `embed_posterior`;
        drawn_by_chance: the share of the labels that is taken for that, None where it is not
        known."""
        super().__init__(
            gate.labels, dimensions=gate.dimensions, size=gate.size, features=gate.features
        )
        self._gate, self._experts = gate, experts
        self._weights, self._worth, self.loss = dict(weights), tuple(worth), loss
        self._doubt, self._drawn = doubt, drawn_by_chance
        self.reads_text = experts.words is not None

    @classmethod
    def fit(cls, sample: Sample, settings: AutoSettings, seed: int) -> Self:
        """Fit all experts and weigh them; no random number is drawn."""
        return cls.around(*fit_cross_validated(sample, settings.discriminant), sample, settings)

    @classmethod
    def around(
        cls,
        gate: Discriminant,
        found: CrossValidation,
        sample: Sample,
        settings: AutoSettings,
    ) -> Self:
        """Pool a fitted discriminant with the other experts; some text must have been put away."""
        ridge = regress(sample, settings.kernel)
        names = _names(sample)
        rows, by_kernel = ridge.left_out_of(found.left.rows, sample)
        scores = {"discriminant": found.left.at(rows), "kernel": by_kernel}
        scores = {name: each.clamp_min(LEAST) for name, each in scores.items()}
        if names is not None:
            scores["names"] = names.scores(as_tensor(sample.x)[rows])
        truth, student, unseen = as_tensor(sample.y)[rows], None, alone(sample.y)
        corpus = sample.corpus()
        if len(corpus[0]) and len(sample.x) <= MANY and len(sample.labels) <= CLASSES:
            first = pool(scores, truth, FIRST)
            teacher = PooledTeacher(sample, corpus, gate, found, ridge, names, first.weights)
            student, left = teach(found, read_corpus(teacher.corpus, teacher.new), teacher)
            scores["corpus"] = left.at(rows).clamp_min(LEAST)
            unseen = max(unseen, float(teacher.new.mean()))
        words = read_words(sample)
        if words is not None:
            scores["words"] = words.left_out_of(rows).clamp_min(LEAST)
        whole, worth = earned(scores, truth, FIRST)
        doubt, weights, drawn = DOUBT, whole.weights, 0.0
        if weights.keys() - {"discriminant"}:  # which alone is laid out with the usual one
            p = pooled(scores, weights).exp()
            new = found.left._replace(log_p=found.new[:, None]).at(rows)
            placed = PosteriorParts(p, new, gate.residual(as_tensor(sample.x)[rows]))
            doubt = choose_doubt(placed, truth, gate.floor, unseen)
            weights, drawn = sharpened(weights, scores, truth)  # last: else they seem misplaced
        worth = [replace(each, weight=weights.get(each.expert, 0.0)) for each in worth]
        experts = Experts.of_weight(weights, ridge, names, student, words)
        return cls(gate, experts, weights, worth, whole.loss, doubt, drawn)

    @property
    def weights(self) -> dict[str, float]:
        """The weight of each expert that is asked."""
        return dict(self._weights)

    def read(
        self,
        x: NDArray[Any],
        features: NDArray[Any] | None = None,
        texts: Sequence[str] | None = None,
    ) -> Prediction:
        """Lay out p ∝ exp Σ_e w_e s_e, s_e = ln p_e, or the scores of names; see
        `embed_posterior`.

        A logarithmic opinion pool: each expert has a veto in proportion to its weight.
        """
        rich = features_for(self.features, features) if self.features else x
        said = texts_for(len(x), texts) if self.reads_text else ()
        return embed_posterior(
            len(x),
            self.size,
            lambda part: self._parts(x[part], rich[part], said[part]),
            self._gate.floor,
            self._doubt,
        )

    def _parts(
        self, base: NDArray[Any], wide: NDArray[Any], texts: Sequence[str]
    ) -> PosteriorParts:
        x, rich = (self._gate.beside(rows) for rows in (base, wide))
        found = self._gate.parts(x, rich)
        unit = torch.nn.functional.normalize(rich.float(), dim=1)
        scores = {"discriminant": found.p.log().clamp_min(LEAST)}
        scores |= self._experts.scores(x, unit, texts)
        return found._replace(p=pooled(scores, self._weights).exp())

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return the tensors of all that are asked, each by a name that begins with the expert."""
        own = self._experts.tensors()
        return own | {f"gate_{name}": tensor for name, tensor in self._gate.tensors().items()}

    def settings(self) -> CalibratedPool:
        """Return weights, what each expert is worth, and what was chosen for each."""
        found = CalibratedPool(
            weights=self._weights,
            log_loss=self.loss,
            doubt=self._doubt,
            worth=[_rounded(each) for each in self._worth],
            gate=self._gate.settings(),
        )
        said: dict[str, Any] = dict(self._experts.settings())
        if self._drawn is not None:
            said["drawn_by_chance"] = round(self._drawn, 4)
        return found.model_copy(update=said)

    @classmethod
    def restore(
        cls,
        tensors: dict[str, NDArray[Any]],
        labels: tuple[str, ...],
        settings: CalibratedPool,
        features: int = 0,
    ) -> Self:
        """Rebuild discriminant and experts; ValueError where their classes do not fit."""
        held: dict[str, dict[str, NDArray[Any]]] = {}
        for name, array in tensors.items():
            who, what = name.split("_", 1)
            held.setdefault(who, {})[what] = array
        gate = Discriminant.restore(held["gate"], labels, settings.discriminant, features)
        experts = Experts.restore(held, settings, len(labels))
        found = (settings.weights, settings.worth, settings.log_loss, settings.doubt)
        return cls(gate, experts, *found, settings.drawn_by_chance)


def _names(sample: Sample) -> LabelNames | None:
    if sample.names is None:
        return None
    return read_names(as_tensor(sample.names), as_tensor(sample.background))


def _rounded(worth: Worth) -> Worth:
    weight, alone, saves = (round(each, 4) for each in (worth.weight, worth.alone, worth.saves))
    return Worth(worth.expert, weight, alone, saves)
