"""Whether a view is published: it is better than nothing beyond doubt, maybe, or it is not.

Proven: out of fold more texts get their label than the largest class has, and more triplets are
right than in the base vectors, both beyond their intervals. Refused: labels that have nothing to do
with their texts, though there are enough of them to tell, or a view that is worse than the base
vectors. What lies between is published and marked as unproven.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.core.evaluation.metrics import Scores
from tasks.core.evaluation.out_of_fold import Evidence, Part, evidence, folds, held_part
from tasks.core.evaluation.proof import NOTHING, PROVEN, REFUSED, UNPROVEN, WORSE
from tasks.core.transforms.base import Transform
from tasks.core.transforms.training_set import Labelled
from tasks.core.workspace.errors import InputError

LEAST = 20  # texts below which a bootstrap knows too little of what it did not draw
ENOUGH = 50  # texts below which labels are too few to be called wrong
MANY = 2_000  # texts from which those held out tell enough, and no folds are made
SLIGHT = (
    20.0  # agreement × 100 up to which labels say next to nothing ("slight": Landis, Koch 1977)
)
TRACE = 1.0  # above chance by less, labels on the wrong texts come too, in one case of twenty
NEAR = 60.0  # triplets, where 50 is chance
PARTED = 95.0  # triplets from which the base vectors leave little to gain
LOPSIDED = 60.0  # share of a class from which accuracy says little, and agreement says it instead


@dataclass(frozen=True)
class Ruling:
    """PROVEN, UNPROVEN or REFUSED, why, and the figures that it rests on."""

    state: str
    why: str
    figures: dict[str, float]


def weigh(
    known: Labelled,
    held: Labelled,
    trial: Transform,
    settings: Mapping[str, Any],
    seed: int,
    method: str,
) -> Ruling:
    """Judge what `trial` says of `held`, or, where these are too few, of all texts in folds."""
    first = _ruled([held_part(known, held, trial)], method, seed)
    if first.state == PROVEN or first.why == WORSE or known.texts >= MANY:
        return first
    second = _ruled(list(folds(known, method, settings, seed)), method, seed)
    return second if second.figures else first


def _ruled(parts: list[Part], method: str, seed: int) -> Ruling:
    kept = [part for part in parts if len(part.y)]
    if not kept:
        return Ruling(UNPROVEN, "no text could be left out", {})
    return rule(evidence(kept, seed), method)


def rule(found: Evidence, method: str) -> Ruling:
    """Judge a transform of `method` by texts that it has not seen."""
    figures = _figures(found)
    if method != "identity" and _is_worse(found):
        return Ruling(REFUSED, WORSE, figures)
    if _says_nothing(found):
        return Ruling(REFUSED, NOTHING, figures)
    few = f"only {found.texts} texts were left out" if found.texts < LEAST else ""
    doubts = [doubt for doubt in (few, _of_labels(found), _of_space(found, method)) if doubt]
    return Ruling(UNPROVEN if doubts else PROVEN, "; ".join(doubts), figures)


def _is_worse(found: Evidence) -> bool:
    if found.gain is None or found.texts < ENOUGH:
        return False
    return found.gain.high < 0 and found.agreement.low <= 0


def _says_nothing(found: Evidence) -> bool:
    """Tell labels that know nothing of their texts from labels that are too few to tell."""
    near = found.part
    if found.texts < ENOUGH:
        return False
    if found.agreement.low > TRACE or (near is not None and near.low > 50 + TRACE):
        return False
    apart = near is None or near.high < NEAR or found.largest < LOPSIDED
    return found.agreement.high < SLIGHT and apart


def _of_labels(found: Evidence) -> str:
    if found.lead.low > 0 or (found.largest >= LOPSIDED and found.agreement.low > 0):
        return ""
    return (
        f"{found.accuracy:.1f} % of {found.texts} texts left out get their label, the largest class"
        f" has {found.largest:.1f} %"
    )


def _of_space(found: Evidence, method: str) -> str:
    if method == "identity":
        return ""
    if found.gain is None or found.part is None or found.base is None:
        return "no two texts of one label were left out together"
    if found.gain.low > 0 or (found.part.low >= PARTED and found.gain.high >= 0):
        return ""
    return f"triplets {found.base:.1f} → {found.part.value:.1f} are within chance"


def _figures(found: Evidence) -> dict[str, float]:
    figures: dict[str, float] = {
        "texts": found.texts,
        "accuracy": found.accuracy,
        "largest_class": found.largest,
    }
    for name, one in (("lead", found.lead), ("agreement", found.agreement), ("gain", found.gain)):
        if one is not None:
            figures |= {name: one.value, f"{name}_low": one.low, f"{name}_high": one.high}
    return {key: round(value, 2) + 0 for key, value in figures.items()}


def refuse(file: str, ruling: Ruling, before: Scores, after: Scores) -> None:
    """Raise InputError where the ruling is REFUSED; before, after: scores of held-out texts."""
    if ruling.state != REFUSED:
        return
    if ruling.why == WORSE:
        raise InputError(
            f"{file}: found a view that is worse than the base vectors on {before.n} held-out"
            f" labels (triplets {_shift(before.triplets, after.triplets)},"
            f" kNN@10 {_shift(before.knn, after.knn)}); expected a better one, so it is not"
            " published; check the labels, add more, or set fit.gate: false"
        )
    said = ruling.figures
    found = (
        f"{said['accuracy']:.1f} % of {said['texts']} texts left out get their label, the largest"
        f" class has {said['largest_class']:.1f} %; agreement {said['agreement']:.1f}, from"
        f" {said['agreement_low']:.1f} to {said['agreement_high']:.1f} of 100"
    )
    raise InputError(
        f"{file}: found labels that have nothing to do with their texts ({found}); expected better"
        " than chance, so the view is not published; likely its ids are those of another table or"
        " of the annotation tool, another column is meant, or the labels are of another corpus;"
        " correct the file, add a column 'text' beside the ids, or set fit.gate: false"
    )


def _shift(before: float | None, after: float | None) -> str:
    return " → ".join("–" if value is None else f"{value:.2f}" for value in (before, after))
