"""How a view reads texts whose labels it has not seen, for its page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np

from flows.queries.found_before import fit_on, found_before, keep
from flows.state.label_sources import aspect_files
from flows.state.spoken_names import name_reader, named_labels
from tasks.core.evaluation.bootstrap import Interval, ScoreReport, bootstrap_scores
from tasks.core.evaluation.measures import MEASURES
from tasks.core.labels.reader import LabelSet
from tasks.core.report.confusion import Confusion, confusion
from tasks.core.settings.params import Params
from tasks.core.transforms.training_set import aspect_labels, concept_of, labelled
from tasks.core.workspace.files import digest
from tasks.core.workspace.manifests import Card
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.state_manifests import CheckNote, FigureNote

Scored = dict[str, tuple[Interval, Interval]]


@dataclass(frozen=True)
class Check:
    """Held-out texts by true and likeliest label, and the scores before and after by measure."""

    confusion: Confusion
    scores: Scored


def check(paths: Paths, params: Params, card: Card, labels: LabelSet) -> Check | None:
    """Fit on the labels that the scores were fitted on, and judge those held out; None of none.

    What was found of the same labels and settings is not found anew.
    """
    fit, place = params.fit.model_copy(update={"method": card.method}), paths.check(labels.name)
    params = params.model_copy(update={"fit": fit})
    reader = name_reader(paths, params, labels.name, fit.method)
    table, files = paths.base_table, aspect_files(paths, labels.name, card.aspects)
    aspects = aspect_labels(table, files, fit)
    prints = [(name, each.fingerprint) for name, each in aspects.items()]
    made_from = fit_on(paths, params, labels, reader)
    made_from = digest(made_from, prints) if prints else made_from
    known_before = found_before(place, CheckNote, made_from)
    if known_before is not None:
        return _read(known_before)
    concept = concept_of(table, aspects, fit.seed)
    named = named_labels(paths, labels.name)
    known = replace(labelled(table, labels.label_of, reader, named), concept=concept)
    train, held = known.split(fit.held_out, fit.seed)
    held = held.once()
    if not len(held.y):
        return None
    trial = train.fit(fit.method, fit.method_settings(), fit.seed)
    reading = held.seen_by(trial)
    judged = bootstrap_scores(
        {"before": held.rows.vectors, "after": reading.vectors}, held.y, fit.seed
    )
    found = Check(confusion(held, reading, trial.labels), _scores(judged))
    keep(place, _noted(found), made_from)
    return found


def _scores(judged: Mapping[str, ScoreReport]) -> Scored:
    """Return the measures that are defined in the generic space and in the view."""
    before, after = judged["before"].figures, judged["after"].figures
    pairs = {key: (before[key], after[key]) for key in MEASURES}
    return {key: (b, a) for key, (b, a) in pairs.items() if b is not None and a is not None}


def _noted(found: Check) -> CheckNote:
    return CheckNote(
        labels=list(found.confusion.labels),
        counts=found.confusion.counts.tolist(),
        before={key: FigureNote(**asdict(pair[0])) for key, pair in found.scores.items()},
        after={key: FigureNote(**asdict(pair[1])) for key, pair in found.scores.items()},
    )


def _read(found: CheckNote) -> Check:
    counts = np.array(found.counts, np.int64)
    both = [key for key in MEASURES if key in found.before and key in found.after]
    scores = {key: (_interval(found.before[key]), _interval(found.after[key])) for key in both}
    return Check(Confusion(tuple(found.labels), counts, counts.sum(1)), scores)


def _interval(figure: FigureNote) -> Interval:
    return Interval(figure.value, figure.low, figure.high)
