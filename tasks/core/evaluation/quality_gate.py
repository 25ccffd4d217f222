"""Whether a view is published: it is better than nothing beyond doubt, maybe, or it is not.

Proven: out of fold more texts get their label than the largest class has, and more triplets are
right than in the base vectors, both beyond their intervals, and neither V-measure nor neighbours
are worse beyond theirs. Refused: labels that have nothing to do with their texts, though there are
enough of them to tell, or a view that is worse than the base vectors in two of the three figures
and surely better in none; in one of them, where the labels are not learnt either. What lies
between is published and marked as unproven.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.core.evaluation.gains import Gain, Part
from tasks.core.evaluation.metrics import Scores
from tasks.core.evaluation.out_of_fold import CLOSED, Evidence, evidence, folds, held_part
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
LOSS = 1.0  # of a figure × 100, up to which a view may be below the base vectors
NEAR = 60.0  # triplets, where 50 is chance
PARTED = 95.0  # triplets from which the base vectors leave little to gain
_KEYS = {"v_measure": "gain_v_measure", "triplets": "gain", "knn": "gain_knn"}  # in score files
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
    settings: Mapping[str, object],
    seed: int,
    method: str,
) -> Ruling:
    """Judge what `trial` says of `held`, or, where these are too few, of all texts in folds."""
    first = _found([held_part(known, held, trial)], seed)
    if first is not None and _settled(first, known, method):
        return rule(first, method)
    found = _found(list(folds(known, method, settings, seed)), seed) or first
    return rule(found, method) if found else Ruling(UNPROVEN, "no text could be left out", {})


def _found(parts: list[Part], seed: int) -> Evidence | None:
    kept = [part for part in parts if len(part.y)]
    return evidence(kept, seed) if kept else None


def _settled(found: Evidence, known: Labelled, method: str) -> bool:
    """Tell whether folds would add nothing; of a method that takes minutes they know no figure."""
    if known.texts >= MANY or (method not in CLOSED and _losses(found)):
        return True
    doubtful = method in CLOSED and any(one.gain.value < -LOSS for one in found.gains.values())
    return rule(found, method).state == PROVEN and not doubtful


def rule(found: Evidence, method: str) -> Ruling:
    """Judge a transform of `method` by texts that it has not seen."""
    figures = _figures(found)
    if method != "identity" and _is_worse(found):
        return Ruling(REFUSED, WORSE, figures)
    if _says_nothing(found):
        return Ruling(REFUSED, NOTHING, figures)
    few = f"only {found.texts} texts were left out" if found.texts < LEAST else ""
    lost = [] if method == "identity" else [_shown(one) for one in _losses(found)]
    doubts = [few, _of_labels(found), _of_space(found, method), *lost]
    doubts = [doubt for doubt in doubts if doubt]
    return Ruling(UNPROVEN if doubts else PROVEN, "; ".join(doubts), figures)


def _is_worse(found: Evidence) -> bool:
    """Tell a view of which nothing is sure but a loss; two of them outweigh labels well learnt."""
    lost = len(_losses(found))
    better = any(one.gain.low > 0 for one in found.gains.values())
    learnt = found.agreement.low > 0
    return found.texts >= ENOUGH and not better and lost > (1 if learnt else 0)


def _losses(found: Evidence) -> list[Gain]:
    """Return the figures that are worse than the base vectors' beyond doubt, by more than LOSS."""
    told = [one for one in found.gains.values() if one.texts >= LEAST]
    return [one for one in told if one.gain.high < 0 and one.gain.value < -LOSS]


def _shown(one: Gain) -> str:
    return f"{one.title} {one.before:.1f} → {one.after.value:.1f} is worse than the base vectors"


def _says_nothing(found: Evidence) -> bool:
    """Tell labels that know nothing of their texts from labels that are too few to tell."""
    near = found.gains["triplets"].after if "triplets" in found.gains else None
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
    near = found.gains.get("triplets")
    if near is None:
        return "no two texts of one label were left out together"
    if near in _losses(found):
        return ""  # and said there
    if near.gain.low > 0 or (near.after.low >= PARTED and near.gain.high >= 0):
        return ""
    return f"triplets {near.before:.1f} → {near.after.value:.1f} are within chance"


def _figures(found: Evidence) -> dict[str, float]:
    figures: dict[str, float] = {
        "texts": found.texts,
        "accuracy": found.accuracy,
        "largest_class": found.largest,
    }
    gains = {_KEYS[measure]: one.gain for measure, one in found.gains.items()}
    for name, one in ({"lead": found.lead, "agreement": found.agreement} | gains).items():
        figures |= {name: one.value, f"{name}_low": one.low, f"{name}_high": one.high}
    return {key: round(value, 2) + 0 for key, value in figures.items()}


def refuse(file: str, ruling: Ruling, before: Scores, after: Scores) -> None:
    """Raise InputError where the ruling is REFUSED; before, after: scores of held-out texts."""
    if ruling.state != REFUSED:
        return
    if ruling.why == WORSE:
        raise InputError(
            f"{file}: found a view that is worse than the base vectors on {before.n} held-out"
            f" labels (V-measure {_shift(before.v_measure, after.v_measure)},"
            f" triplets {_shift(before.triplets, after.triplets)},"
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
