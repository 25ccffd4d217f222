"""What an evaluation has found, as commands print it and files keep it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from tasks.core.evaluation.bootstrap import Interval
from tasks.core.settings.calibrated import Worth
from tasks.core.workspace.manifests import Gate

Figures = Mapping[str, Interval | None]
"""A score × 100 by measure, to two decimals; None where the texts are too few to define it."""


@dataclass(frozen=True)
class Previous:
    """The version that a view is held against: its fingerprint, method, and labelled texts."""

    transform: str
    method: str
    texts: int


@dataclass(frozen=True)
class NotCompared:
    """Why a view is held against no earlier version."""

    not_compared: str


@dataclass(frozen=True)
class Evaluation:
    """A view scored on texts that its transform has not seen.

    on: where their labels are from; experts: of the pool, if it is one; drawn_by_chance: the share
    of the labels that it takes for drawn by chance, None where it does not say; texts, labels: how
    many are scored; left_out, noted: how many rows, by reason; interval: how it was found;
    previous: the version before; scores: by space, `identity` being the base vectors; gains: of
    the view over each other space; accuracy: by version, the share in percent that get their label;
    gate: how the quality gate has ruled on the view.
    """

    view: str
    on: str
    method: str
    experts: list[Worth]
    drawn_by_chance: float | None
    texts: int
    labels: int
    left_out: dict[str, int]
    noted: dict[str, int]
    interval: str
    previous: Previous | NotCompared
    scores: dict[str, Figures]
    gains: dict[str, Figures]
    accuracy: dict[str, float | None]
    gate: Gate

    def to_json(self) -> dict[str, object]:
        """Return what `refract evaluate --json` prints; an expert's keys stand as on its card."""
        experts = [dict(sorted(asdict(each).items())) for each in self.experts]
        return {**asdict(self), "experts": experts, "gate": self.gate.told()}
