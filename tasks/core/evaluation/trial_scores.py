"""The scores of a fit: what a trial on a part of the labels says of the rest, and of all others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.encoding.base_table import Rows
from tasks.core.evaluation import metrics, quality_gate
from tasks.core.evaluation.bootstrap import Interval, intervals
from tasks.core.evaluation.proof import UNPROVEN
from tasks.core.evaluation.right import Answers, share_right
from tasks.core.settings.fit_section import FitSettings
from tasks.core.transforms.base import Transform
from tasks.core.transforms.training_set import Labelled
from tasks.core.workspace.manifests import TOLD_FROM, ByMeasure, Gate, Scores


def score_trial(known: Labelled, settings: FitSettings, shown: str) -> tuple[Scores, Answers]:
    """Fit on a part of the labels and score the rest, in the view and in the generic space.

    InputError where the gate is asked and refuses; shown: what messages call the labels.
    """
    method, own, seed = settings.method, settings.method_settings(), settings.seed
    train, held = known.split(settings.held_out, seed)
    trial = train.fit(method, own, seed)
    once = held.once()
    before = metrics.score(once.rows.vectors, once.y, seed)
    seen, named = once.seen_by(trial), held.names_of()
    after = metrics.score(seen.vectors, once.y, seed)
    ruling = quality_gate.weigh(known, held, trial, own, seed, method)
    if settings.gate:
        quality_gate.refuse(shown, ruling, before, after)
    right = metrics.right(
        [named[key] for key in once.rows.ids], [trial.labels[at] for at in seen.label]
    )
    scores = Scores(
        labels=len(known.names),
        texts=known.texts,
        held_out=len(once.y),
        held_out_labels=len(set(once.y.tolist())),
        accuracy=metrics.accuracy(right),
        before=_rounded(before),
        after=_rounded(after),
        intervals=_bounds(intervals(seen.vectors, once.y, seed)),
        gate=Gate.model_validate({"state": ruling.state, "why": ruling.why, **ruling.figures}),
    )
    if known.concept is not None:
        scores = scores.changed(erased=list(known.concept.aspects))
    ceiling = metrics.knn_ceiling(once.y, seed)
    if ceiling not in (None, 100):
        scores = scores.changed(knn_ceiling=round(ceiling, 2))
    return scores, Answers(right, seen.confidence)


def with_right(scores: Scores, held: Answers, others: Rows, made: Transform) -> Scores:
    """Add about which share of `others`, which nobody has labelled, get their label by `made`.

    Of too few labels it is not told: a fit on a dozen texts does not know how sure it may be.
    """
    if (scores.texts or 0) < TOLD_FROM:
        return scores
    read = made.apply(others.vectors, others.features, others.texts)
    found = share_right(read.confidence, held)
    if found is None:
        return scores
    bounds = _bounds({"right": found}) | scores.intervals
    scores = scores.changed(right=round(found.value, 2), intervals=bounds)
    if scores.gate is None or scores.gate.state != UNPROVEN:
        return scores
    return scores.changed(gate=_beyond(scores.gate, found, read.label))


def _beyond(gate: Gate, right: Interval, label: NDArray[np.integer[Any]]) -> Gate:
    """Say what is sure of all texts: more get their label than one label for all would be right of.

    How many texts have the commonest label nobody knows: as many at most are taken as those left
    out say, or as the view says of all, which gives it to doubtful texts, too.
    """
    shares = [100 * np.bincount(label).max() / len(label)] if len(label) else []
    commonest = max([gate.largest_class or 0.0, *shares])
    if right.low <= commonest:
        return gate
    said = (
        f"of all texts about {right.value:.0f} % get their label ({right.low:.0f} to"
        f" {right.high:.0f} %), the commonest label for all would be right of {commonest:.0f} %"
    )
    return gate.model_copy(update={"beyond": said})


def _bounds(found: Mapping[str, Interval]) -> dict[str, ByMeasure]:
    return {
        name: {"low": round(each.low, 2) + 0.0, "high": round(each.high, 2) + 0.0}
        for name, each in found.items()
    }


def _rounded(scores: metrics.Scores) -> ByMeasure:
    return {
        key: round(value, 2) if isinstance(value, float) else value
        for key, value in asdict(scores).items()
    }
