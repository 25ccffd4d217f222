"""The default method, `auto`: of `discriminant` and `kernel` the one that predicts labels better.

Better is a smaller log-loss on texts that were left out. The mathematics, from a text x to its
vector z in the view:

    discriminant   p_d = posterior of Gaussians with one covariance (`plda`), and the probability ν
                   of a class that nobody has labelled (`novelty`)
    kernel         p ∝ softmax(t f(x))^(1-w) p_d^w, f a kernel ridge regression; `discriminant`: p_d
    both           z = [√(1-ν) p, g r], r the residual of x in the generic space (`posterior_space`)

What these leave open, such as shrinkage and temperature, is chosen in `cross_validation`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

from numpy.typing import NDArray

from tasks.core.settings.fit_section import DiscriminantSettings, KernelSettings
from tasks.core.settings.section import Section
from tasks.core.transforms import discriminant, kernel
from tasks.core.transforms.base import Prediction, Sample, Transform

GAIN = 0.01  # share of the log-loss that the kernel must save: it costs more to apply
CANDIDATES: dict[str, type[Transform]] = {
    "discriminant": discriminant.Discriminant,
    "kernel": kernel.Kernel,
}


@dataclass(frozen=True)
class Tried:
    """A candidate, and its log-loss in nats a text; None where no text could be left out."""

    method: str
    log_loss: float | None


class AutoSettings(Section):
    """Settings of each candidate."""

    discriminant: DiscriminantSettings = DiscriminantSettings()
    kernel: KernelSettings = KernelSettings()


class Auto(Transform):
    """The transform that was chosen, and what it was chosen from."""

    method = "auto"
    Settings = AutoSettings

    def __init__(self, chosen: Transform, tried: tuple[Tried, ...]) -> None:
        super().__init__(
            chosen.labels, dimensions=chosen.dimensions, size=chosen.size, features=chosen.features
        )
        self._chosen, self._tried = chosen, tried

    @classmethod
    def fit(cls, sample: Sample, settings: AutoSettings, seed: int) -> Self:
        """Fit the discriminant and the kernel, each once, and keep the better.

        Texts are left out of the discriminant by taking their sums out of its moments, and of the
        kernel by the closed form of its leave-one-out predictions, so nothing is fitted again.
        """
        plain, found = discriminant.fit_cross_validated(sample, settings.discriminant)
        solved = kernel.solve(sample, settings.kernel, found.left)
        tried = (
            Tried("discriminant", _rounded(found.left.loss)),
            Tried("kernel", _rounded(solved.left.loss)),
        )
        if not _saves(found.left.loss, solved.left.loss):
            return cls(plain, tried)
        return cls(kernel.join(plain, solved, rich=sample.features is not None), tried)

    def apply(self, x: NDArray[Any], features: NDArray[Any] | None = None) -> Prediction:
        """Apply the transform that was chosen."""
        return self._chosen.apply(x, features)

    def tensors(self) -> dict[str, NDArray[Any]]:
        return self._chosen.tensors()

    def settings(self) -> dict[str, Any]:
        """Return what was chosen with its settings, and the log-loss of each that was tried."""
        return {
            "chosen": self._chosen.method,
            "tried": [asdict(each) for each in self._tried],
            "settings": self._chosen.settings(),
        }

    @classmethod
    def restore(
        cls,
        tensors: dict[str, NDArray[Any]],
        labels: tuple[str, ...],
        settings: dict[str, Any],
        features: int = 0,
    ) -> Self:
        kind = CANDIDATES[settings["chosen"]]
        chosen = kind.restore(tensors, labels, dict(settings["settings"]), features)
        return cls(chosen, tuple(Tried(**each) for each in settings["tried"]))


def _saves(plain: float | None, other: float | None) -> bool:
    if plain is None or other is None:
        return False
    return other < (1 - GAIN) * plain


def _rounded(loss: float | None) -> float | None:
    return None if loss is None else round(loss, 4)
