"""Fit one instruction's transform and score it on labels it has not seen."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.core.documents.quarantine import RejectLog
from tasks.core.encoding import base_table
from tasks.core.encoding.label_names import NameReader
from tasks.core.evaluation import metrics, quality_gate
from tasks.core.evaluation.bootstrap import Interval, intervals
from tasks.core.evaluation.right import Answers, share_right
from tasks.core.labels.enough import check_shared
from tasks.core.labels.files import LabelFile
from tasks.core.labels.multilabel import members
from tasks.core.labels.reader import LabelSet, read_labels
from tasks.core.settings.fit_section import FitSettings
from tasks.core.transforms.base import Transform, contents
from tasks.core.transforms.card import CARD, fits, is_whole, of_scores
from tasks.core.transforms.training_set import (
    BACKGROUND,
    Labelled,
    aspect_labels,
    concept_of,
    labelled,
)
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.exchange import complete, lay
from tasks.core.workspace.files import digest
from tasks.core.workspace.manifest import manifest_bytes, read_manifest
from tasks.core.workspace.manifests import ByMeasure, Card, Gate, Scores
from tasks.core.workspace.state_manifests import ExchangeNote


@dataclass(frozen=True)
class FitJob:
    """All that one fit reads, and where it writes."""

    file: LabelFile
    wording: str
    table: Path
    transform: Path
    metric: Path
    rejected_rows: Path
    rejection: Path
    hold: Path
    root: Path
    exchange: Path
    made_from: dict[str, str]
    settings: FitSettings
    names: NameReader | None
    without: Mapping[str, LabelFile | InputError]
    force: bool

    @property
    def name(self) -> str:
        """The instruction."""
        return self.file.instruction


@dataclass(frozen=True)
class FitReport:
    """What one fit found and made; `before` is the untransformed space, `gate` its ruling.

    accuracy: share of held-out texts whose likeliest label is theirs, in percent; right:
    about which share it is of texts that nobody has labelled.
    """

    name: str
    method: str
    labels: int
    texts: int
    held_out: int
    accuracy: float | None
    right: float | None
    intervals: dict[str, ByMeasure]
    reasons: dict[str, int]
    notes: dict[str, int]
    noted_labels: dict[str, list[str]]
    read_as: tuple[str, ...]
    before: ByMeasure
    after: ByMeasure
    gate: Gate | None
    seconds: float
    refitted: bool


@dataclass(frozen=True)
class Fitted:
    """What a fit has found, and which files it has laid beside their places."""

    report: FitReport
    laid: ExchangeNote


@task(name="fit", task_run_name="fit {job.name}", cache_policy=NO_CACHE)
def fit_instruction(job: FitJob) -> Fitted:
    """Fit and score; lay what is made where nobody sees it. InputError for labels of no use."""
    begun, settings = time.perf_counter(), job.settings
    keys = base_table.keys(job.table)
    labels = read_labels(
        job.file,
        keys,
        settings.min_rows,
        separator=settings.separator,
        texts=base_table.texts(job.table),
    )
    _write_rejects(job, labels)
    check_shared(job.file.shown, [members(label) for label in labels.labels])
    aspects = aspect_labels(job.table, job.without, settings)
    matched = _matched(labels, aspects)
    card = read_manifest(job.transform / CARD, Card)
    if card is not None and not job.force and _same_but_base(card, job, matched):
        about = {"made_from": job.made_from, **_read(labels)}
        new = {job.transform / CARD: manifest_bytes(card.changed(**about))}
        scores = read_manifest(job.metric, Scores) or Scores()
        return _laid(job, new, _report(job, labels, scores, begun, refitted=False))
    concept = concept_of(job.table, aspects, settings.seed)
    known = replace(labelled(job.table, labels.label_of, job.names), concept=concept)
    scores, held = _scores(job, known)
    made = known.fit(settings.method, settings.method_settings(), settings.seed)
    scores = _with_right(scores, held, known, made, job)
    scores = scores.changed(fingerprint=_fingerprint(job, matched), method=made.called)
    new_card = _card(job, matched, labels, scores)
    files = {job.transform / name: content for name, content in contents(made, new_card).items()}
    new = {job.metric: manifest_bytes(scores), **files}
    return _laid(job, new, _report(job, labels, scores, begun, refitted=True))


def _laid(job: FitJob, new: dict[Path, bytes], report: FitReport) -> Fitted:
    return Fitted(report, lay(job.root, new, gone=(job.rejection, job.hold)))


def commit_fit(job: FitJob, fitted: Fitted) -> FitReport:
    """Put what a fit has made in its place, all of it at once."""
    complete(job.root, job.exchange, fitted.laid)
    return fitted.report


def _write_rejects(job: FitJob, labels: LabelSet) -> None:
    with RejectLog(job.rejected_rows) as log:
        for row in labels.rejects:
            log.write(row.path.name, row.position, row.reason, row.content)


def _matched(labels: LabelSet, aspects: Mapping[str, LabelSet]) -> str:
    """Return a fingerprint of the labelled texts, and of those of what the view is without."""
    if not aspects:
        return labels.fingerprint
    return digest(labels.fingerprint, [(name, each.fingerprint) for name, each in aspects.items()])


def _fingerprint(job: FitJob, matched: str) -> str:
    """Return a fingerprint of all that makes the transform; scores carry it in git."""
    return digest(job.made_from["params"], job.made_from["encoder"], matched)


def _same_but_base(card: Card, job: FitJob, matched: str) -> bool:
    unchanged = all(card.made_from.get(key) == job.made_from[key] for key in ("params", "encoder"))
    made = card.matched == matched and fits(card, read_manifest(job.metric, Scores))
    return unchanged and made and is_whole(job.transform)


def _scores(job: FitJob, known: Labelled) -> tuple[Scores, Answers]:
    """Fit on a part of the labels and score the rest, in the view and in the generic space."""
    settings = job.settings
    method, own, seed = settings.method, settings.method_settings(), settings.seed
    train, held = known.split(settings.held_out, seed)
    trial = train.fit(method, own, seed)
    once = held.once()
    before = metrics.score(once.rows.vectors, once.y, seed)
    seen, named = once.seen_by(trial), held.names_of()
    after = metrics.score(seen.vectors, once.y, seed)
    ruling = quality_gate.weigh(known, held, trial, own, seed, method)
    if settings.gate:
        quality_gate.refuse(job.file.shown, ruling, before, after)
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
    scores = scores.changed(erased=list(job.without)) if job.without else scores
    ceiling = metrics.knn_ceiling(once.y, seed)
    if ceiling not in (None, 100):
        scores = scores.changed(knn_ceiling=round(ceiling, 2))
    return scores, Answers(right, seen.confidence)


def _with_right(
    scores: Scores, held: Answers, known: Labelled, made: Transform, job: FitJob
) -> Scores:
    """Add about which share of the texts that nobody has labelled get their label by `made`."""
    others = base_table.sample(job.table, BACKGROUND).without(known.rows.hashes)
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


def _card(job: FitJob, matched: str, labels: LabelSet, scores: Scores) -> Card:
    gate = scores.gate or Gate()
    card = Card(
        instruction=job.name,
        wording=job.wording,
        encoder=job.made_from["encoder"],
        made_from=job.made_from,
        matched=matched,
        fingerprint=scores.fingerprint,
        scores=of_scores(scores),
        counts=dict(sorted(labels.counts.items())),
        gate=Gate(state=gate.state, why=gate.why),
        seed=job.settings.seed,
    )
    return card.changed(**_read(labels))


def _read(labels: LabelSet) -> dict[str, object]:
    """Return what the card notes of how the label file was read."""
    return {
        "reasons": dict(sorted(labels.reasons.items())),
        "notes": dict(sorted(labels.notes.items())),
        "read_as": list(labels.read_as),
    }


def _report(
    job: FitJob, labels: LabelSet, scores: Scores, begun: float, *, refitted: bool
) -> FitReport:
    return FitReport(
        name=job.name,
        method=scores.method or job.settings.method,
        labels=len(labels.counts),
        texts=len(labels.ids),
        held_out=scores.held_out or 0,
        accuracy=scores.accuracy,
        right=scores.right,
        intervals=scores.intervals,
        reasons=labels.reasons,
        notes=labels.notes,
        noted_labels=labels.noted_labels,
        read_as=labels.read_as,
        before=scores.before,
        after=scores.after,
        gate=scores.gate,
        seconds=time.perf_counter() - begun,
        refitted=refitted,
    )
