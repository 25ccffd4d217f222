"""The scores of a fit: what a trial on a part of the labels says of the rest, and of all others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from tasks.core.encoding.base_table import Rows
from tasks.core.evaluation import metrics, quality_gate
from tasks.core.evaluation.bootstrap import Interval, intervals
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
    sure = made.apply(others.vectors, others.features, others.texts).confidence
    found = share_right(sure, held)
    if found is None:
        return scores
    bounds = _bounds({"right": found}) | scores.intervals
    return scores.changed(right=round(found.value, 2), intervals=bounds)


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
