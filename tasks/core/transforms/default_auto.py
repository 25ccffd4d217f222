"""The default method, `auto`: what several experts say of a text, weighed by texts left out.

The mathematics, from a text x to its vector z in the view:

    discriminant   p_d = posterior of Gaussians with one covariance (`plda`), and the probability ν
                   of a class that nobody has labelled (`novelty`, `experts.density`)
    kernel         p_k = softmax(t f(x)), f a kernel ridge regression (`experts.kernel_ridge`)
    names          s_n = cosines with the names of the labels (`experts.label_names`)
    corpus         p_s = the discriminant of labelled and other texts (`experts.self_training`)
    words          p_w = softmax(t f(x)), f a ridge regression on n-grams (`experts.words`)
    together       p ∝ exp(w_d ln p_d + w_k ln p_k + w_n s_n + w_s ln p_s + w_w ln p_w), w ≥ 0
                   (`experts.weights`, `experts.pool`); where labels are wrong by chance all w
                   are multiplied by one β, as sharp as p is without these (`experts.wrong_labels`)
    in the view    z = [√(1-ν) p, g r], r the residual of x in the generic space (`posterior_space`)

What these leave open, such as shrinkage and temperature, is chosen in `cross_validation`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from numpy.typing import NDArray
from torch import Tensor

from tasks.core.settings.calibrated import CalibratedAuto, Tried
from tasks.core.transforms import discriminant, kernel
from tasks.core.transforms.base import Prediction, Transform
from tasks.core.transforms.experts import pool
from tasks.core.transforms.experts.by_names import fit_by_names
from tasks.core.transforms.experts.pool import AutoSettings
from tasks.core.transforms.sample import Corpus, Sample

Candidate = discriminant.Discriminant | kernel.Kernel | pool.Pool

CANDIDATES: dict[str, type[Candidate]] = {
    "discriminant": discriminant.Discriminant,
    "kernel": kernel.Kernel,  # of cards before the pool: nothing is fitted as one any more
    "pool": pool.Pool,
}


class Auto(Transform):
    """The transform that was chosen, and what it was chosen from."""

    method = "auto"
    begins_with_posterior = True
    Settings = AutoSettings
    Calibrated = CalibratedAuto

    def __init__(self, chosen: Candidate, tried: tuple[Tried, ...]) -> None:
        super().__init__(
            chosen.labels, dimensions=chosen.dimensions, size=chosen.size, features=chosen.features
        )
        self.reads_text = chosen.reads_text
        self._chosen, self._tried = chosen, tried

    @classmethod
    def fit(cls, sample: Sample, settings: AutoSettings, seed: int) -> Self:
        """Fit the discriminant, and pool it with the other experts where they save log-loss.

        Texts are left out of the discriminant by taking their sums out of its moments, and of the
        kernel by the closed form of its leave-one-out predictions, so nothing is fitted again.
        """
        plain, found = discriminant.fit_cross_validated(sample, settings.discriminant)
        alone = Tried("discriminant", _rounded(found.left.loss))
        if found.left.loss is None:
            return cls(plain, (alone,))
        made = pool.Pool.around(plain, found, sample, settings)
        if made.weights.keys() <= {"discriminant"}:
            return cls(plain, (alone,))
        return cls(made, (alone, Tried("pool", _rounded(made.loss))))

    @classmethod
    def by_names(
        cls, labels: tuple[str, ...], names: Tensor, corpus: Corpus, settings: AutoSettings
    ) -> Self:
        """Fit what the names of labels teach: see `experts.by_names`."""
        return cls(fit_by_names(labels, names, corpus, settings.discriminant), ())

    def read(
        self,
        x: NDArray[Any],
        features: NDArray[Any] | None = None,
        texts: Sequence[str] | None = None,
    ) -> Prediction:
        """Read by the transform that was chosen."""
        return self._chosen.read(x, features, texts)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return the tensors of what was chosen."""
        return self._chosen.tensors()

    @property
    def called(self) -> str:
        """The method, and which one it chose."""
        return f"{self.method}: {self._chosen.method}"

    def settings(self) -> CalibratedAuto:
        """Return what was chosen with its settings, and the log-loss of each that was tried."""
        return CalibratedAuto(
            chosen=self._chosen.method,
            tried=list(self._tried),
            settings=self._chosen.settings(),
        )

    @classmethod
    def restore(
        cls,
        tensors: dict[str, NDArray[Any]],
        labels: tuple[str, ...],
        settings: CalibratedAuto,
        features: int = 0,
    ) -> Self:
        """Rebuild what was chosen; KeyError for a candidate that is not known."""
        kind = CANDIDATES[settings.chosen]
        own: Any = kind.Calibrated.of(settings.settings.to_json())
        chosen = kind.restore(tensors, labels, own, features)
        return cls(chosen, tuple(settings.tried))


def _rounded(loss: float | None) -> float | None:
    return None if loss is None else round(loss, 4)
