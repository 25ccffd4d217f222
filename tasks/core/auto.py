"""Choose the method by what the label file itself says: the log-loss of texts left out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from numpy.typing import NDArray

from tasks.core import discriminant, kernel
from tasks.core.transform import Reading, Sample, Transform

GAIN = 0.01  # share of the log-loss that the kernel must save: it costs more to apply
METHODS = {"discriminant": discriminant, "kernel": kernel}


@dataclass(frozen=True)
class Tried:
    """A candidate, and its log-loss in nats a text; None where no text could be left out."""

    method: str
    log_loss: float | None


class Auto:
    """The transform that was chosen, and what it was chosen from."""

    method = "auto"

    def __init__(self, chosen: Transform, tried: tuple[Tried, ...]) -> None:
        self.labels = chosen.labels
        self._chosen, self._tried = chosen, tried

    @property
    def dimensions(self) -> int:
        """Of the base vectors it reads."""
        return self._chosen.dimensions

    @property
    def features(self) -> int:
        """How many features it reads; 0 where it reads base vectors alone."""
        return self._chosen.features

    @property
    def size(self) -> int:
        """Of the vectors it gives."""
        return self._chosen.size

    def apply(self, x: NDArray[Any], features: NDArray[Any] | None = None) -> Reading:
        """Apply the transform that was chosen."""
        return self._chosen.apply(x, features)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that `restore` needs, by name."""
        return self._chosen.tensors()

    def settings(self) -> dict[str, Any]:
        """Return what was chosen with its settings, and the log-loss of each that was tried."""
        return {
            "chosen": self._chosen.method,
            "tried": [asdict(each) for each in self._tried],
            "settings": self._chosen.settings(),
        }


def fit(sample: Sample, settings: dict[str, Any], seed: int) -> Auto:
    """Fit the discriminant and the kernel, each once, and keep the better.

    Texts are left out of the discriminant by taking their sums out of its moments, and of the
    kernel by the closed form of its leave-one-out predictions, so nothing is fitted again.
    settings: those of `discriminant` and of `kernel` under their names, or none.
    """
    asked = {name: settings.get(name, {}) for name in METHODS}
    if len(settings.keys() - asked.keys()):
        raise TypeError(f"auto takes settings of {', '.join(METHODS)} alone")
    plain, found = discriminant.fit_tempered(sample, discriminant.Settings(**asked["discriminant"]))
    solved = kernel.solve(sample, kernel.Settings(**asked["kernel"]), found.left)
    tried = (
        Tried("discriminant", _rounded(found.left.loss)),
        Tried("kernel", _rounded(solved.left.loss)),
    )
    if not _saves(found.left.loss, solved.left.loss):
        return Auto(plain, tried)
    return Auto(kernel.join(plain, solved, rich=sample.features is not None), tried)


def restore(
    tensors: dict[str, NDArray[Any]],
    labels: tuple[str, ...],
    settings: dict[str, Any],
    features: int = 0,
) -> Auto:
    """Rebuild what `Auto.tensors` and `settings` describe."""
    module = METHODS[settings["chosen"]]
    chosen = module.restore(tensors, labels, dict(settings["settings"]), features)
    return Auto(chosen, tuple(Tried(**each) for each in settings["tried"]))


def _saves(plain: float | None, other: float | None) -> bool:
    if plain is None or other is None:
        return False
    return other < (1 - GAIN) * plain


def _rounded(loss: float | None) -> float | None:
    return None if loss is None else round(loss, 4)
