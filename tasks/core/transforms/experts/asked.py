"""The experts that a pool asks beside its discriminant: what each says, and how it is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.core.numerics.tensors import as_array, as_tensor, times
from tasks.core.settings.calibrated import CalibratedPool, CorpusExpert, KernelExpert, WordsExpert
from tasks.core.transforms.experts.kernel_ridge import KernelRidge, near
from tasks.core.transforms.experts.label_names import LabelNames
from tasks.core.transforms.experts.self_training import Student
from tasks.core.transforms.experts.weights import LEAST
from tasks.core.transforms.experts.words import WordRidge, Words
from tasks.core.transforms.plda import PldaModel


@dataclass(frozen=True)
class Kernel:
    """A kernel posterior: α (m, k) on landmarks (m, f), γ and t."""

    landmarks: Tensor
    weights: Tensor
    width: float
    sharpness: float

    def log_p(self, x: Tensor) -> Tensor:
        """Return ln p over the known classes, (n, k), of unit rows x (n, f)."""
        likeness = near(times(x, self.landmarks.T), self.width)
        return torch.log_softmax(self.sharpness * times(likeness, self.weights), dim=1)


@dataclass(frozen=True)
class Experts:
    """Those that have a weight beside the discriminant."""

    kernel: Kernel | None = None
    names: LabelNames | None = None
    corpus: Student | None = None
    words: Words | None = None

    @classmethod
    def of_weight(
        cls,
        weights: Mapping[str, float],
        ridge: KernelRidge,
        names: LabelNames | None,
        student: Student | None,
        words: WordRidge | None,
    ) -> Self:
        """Keep the experts that have a weight."""
        best = ridge.best
        kernel = Kernel(best.span.landmarks, best.weights, best.span.width, best.sharpness)
        return cls(
            kernel if weights.get("kernel") else None,
            names if weights.get("names") else None,
            student if weights.get("corpus") else None,
            words.words if words is not None and weights.get("words") else None,
        )

    @classmethod
    def restore(
        cls, held: dict[str, dict[str, NDArray[Any]]], settings: CalibratedPool, k: int
    ) -> Self:
        """Rebuild the experts that have tensors.

        held: the tensors of each; k: the number of classes. ValueError where one's settings are
        missing, or it does not know k classes.
        """
        tensors = {
            who: {what: as_tensor(array) for what, array in own.items()}
            for who, own in held.items()
        }
        kernel, corpus, words = settings.kernel, settings.corpus, settings.words
        for who, own in (("kernel", kernel), ("corpus", corpus), ("words", words)):
            if who in tensors and own is None:
                raise ValueError(f"settings.{who}: field required")
        experts = cls(
            Kernel(**tensors["kernel"], width=kernel.width, sharpness=kernel.sharpness)
            if kernel
            else None,
            LabelNames(**tensors["names"]) if "names" in tensors else None,
            Student(PldaModel(**tensors["corpus"]), corpus.temperature, corpus.share)
            if corpus
            else None,
            Words(**tensors["words"], sharpness=words.sharpness) if words else None,
        )
        experts._check(k)
        return experts

    def _check(self, k: int) -> None:
        kernel, names, corpus, words = self.kernel, self.names, self.corpus, self.words
        known = {
            "kernel": kernel.weights.shape[1] if kernel is not None else k,
            "names": names.directions.shape[1] if names is not None else k,
            "corpus": len(corpus.model.n) if corpus is not None else k,
            "words": words.weights.shape[1] if words is not None else k,
        }
        for name, found in known.items():
            if found != k:
                raise ValueError(f"{found} classes in the tensors of {name}, {k} labels")

    def scores(self, x: Tensor, unit: Tensor, texts: Sequence[str]) -> dict[str, Tensor]:
        """Return what each says of the known classes, (n, k): ln p, or the scores of names.

        x: base vectors (n, d); unit: unit rows of what the transform reads (n, f); texts: (n,),
        none where no words are asked.
        """
        said = {}
        if self.kernel is not None:
            said["kernel"] = self.kernel.log_p(unit).clamp_min(LEAST)
        if self.names is not None:
            said["names"] = self.names.scores(x)
        if self.corpus is not None:
            said["corpus"] = self.corpus.log_p(unit).clamp_min(LEAST)
        if self.words is not None:
            said["words"] = self.words.log_p(texts).clamp_min(LEAST)
        return said

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return the tensors of all, each by a name that begins with the expert."""
        held = {}
        if self.kernel is not None:
            held["kernel"] = {"landmarks": self.kernel.landmarks, "weights": self.kernel.weights}
        if self.names is not None:
            held["names"] = self.names.tensors()
        if self.corpus is not None:
            held["corpus"] = self.corpus.model.tensors()
        if self.words is not None:
            held["words"] = self.words.tensors()
        return {
            f"{who}_{what}": as_array(t) for who, own in held.items() for what, t in own.items()
        }

    def settings(self) -> dict[str, KernelExpert | CorpusExpert | WordsExpert]:
        """Return what was chosen for each, by its name in `CalibratedPool`."""
        chosen: dict[str, KernelExpert | CorpusExpert | WordsExpert] = {}
        if self.kernel is not None:
            chosen["kernel"] = KernelExpert(
                width=self.kernel.width, sharpness=self.kernel.sharpness
            )
        if self.corpus is not None:
            chosen["corpus"] = CorpusExpert(
                temperature=self.corpus.temperature, share=self.corpus.share
            )
        if self.words is not None:
            chosen["words"] = WordsExpert(sharpness=self.words.sharpness)
        return chosen
