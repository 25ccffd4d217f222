"""Fit one instruction's transform and score it on labels it has not seen."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.core.documents.quarantine import RejectLog
from tasks.core.encoding import base_table
from tasks.core.encoding.label_names import NameReader
from tasks.core.evaluation.proof import UNPROVEN
from tasks.core.evaluation.trial_scores import score_trial, with_right
from tasks.core.labels.enough import check_shared
from tasks.core.labels.files import LabelFile
from tasks.core.labels.multilabel import members
from tasks.core.labels.notes import BARE
from tasks.core.labels.reader import LabelSet, no_labels, read_labels
from tasks.core.labels.taxonomy import Label, read_taxonomy
from tasks.core.settings.fit_section import FitSettings
from tasks.core.store import tables
from tasks.core.transforms.base import Transform, contents
from tasks.core.transforms.card import CARD, fits, is_whole, of_scores
from tasks.core.transforms.training_set import (
    BACKGROUND,
    Labelled,
    aspect_labels,
    concept_of,
    fit_by_names,
    labelled,
)
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.exchange import complete, lay
from tasks.core.workspace.files import content_hash, digest
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
    """Fit and score; lay what is made where nobody sees it. InputError for labels of no use.

    Where there are names of labels, and no view of more than these yet, too few labels are no
    mistake: until there are enough the names are fitted on, and the view is unproven.
    """
    if not job.file.labelled:
        return _fit_by_names(job)
    alone = job.file.classes is not None and _has_names_at_most(job)
    begun, settings = time.perf_counter(), job.settings
    keys = base_table.keys(job.table)
    labels = read_labels(
        job.file,
        keys,
        0 if alone else settings.min_rows,
        0 if alone else 2,
        separator=settings.separator,
        texts=base_table.texts(job.table),
    )
    _write_rejects(job, labels)
    if alone and not labels.suffices(settings.min_rows):
        return _fit_by_names(job, labels)
    check_shared(job.file.shown, [members(label) for label in labels.labels])
    own = labels.fingerprint
    if job.file.classes is not None:
        own = digest(own, content_hash(job.file.classes))
    aspects = aspect_labels(job.table, job.without, settings)
    matched = _matched(own, aspects)
    kept = _kept(job, labels, matched, begun)
    if kept is not None:
        return kept
    known = labelled(job.table, labels.label_of, job.names, _taxonomy(job))
    labels = _with_bare(labels, known)
    known = replace(known, concept=concept_of(job.table, aspects, settings.seed))
    scores, held = score_trial(known, settings, job.file.shown)
    made = known.fit(settings.method, settings.method_settings(), settings.seed)
    others = base_table.sample(job.table, BACKGROUND).without(known.rows.hashes)
    scores = with_right(scores, held, others, made)
    scores = scores.changed(fingerprint=_fingerprint(job, matched), method=made.called)
    return _made(job, made, scores, labels, matched, begun)


def _with_bare(labels: LabelSet, known: Labelled) -> LabelSet:
    """Note the labels that are known by their names alone."""
    bare = [name for name in known.names if name not in labels.counts]
    if not bare:
        return labels
    notes, noted = labels.notes | {BARE: len(bare)}, labels.noted_labels | {BARE: bare}
    return replace(labels, notes=notes, noted_labels=noted)


def _has_names_at_most(job: FitJob) -> bool:
    card = read_manifest(job.transform / CARD, Card)
    return card is None or card.by_names


def _fit_by_names(job: FitJob, few: LabelSet | None = None) -> Fitted:
    begun, settings, taxonomy = time.perf_counter(), job.settings, _taxonomy(job)
    said = sorted((label.name, label.description) for label in taxonomy)
    aspects = aspect_labels(job.table, job.without, settings)
    half = tables.count(job.table).bit_length()  # made anew once the corpus has doubled
    matched = _matched(digest(said, half), aspects)
    labels = no_labels(job.name, [label.name for label in taxonomy], few)
    kept = _kept(job, labels, matched, begun)
    if kept is not None:
        return kept
    try:
        method, own = settings.method, settings.method_settings()
        made = fit_by_names(job.table, taxonomy, job.names, method, own)
    except InputError as error:
        raise InputError(f"{job.file.shown}: {error}") from error
    concept = concept_of(job.table, aspects, settings.seed)
    made = made if concept is None else concept.erased_from(made)
    scores = Scores(
        fingerprint=_fingerprint(job, matched),
        method=made.called,
        labels=len(taxonomy),
        texts=0,
        held_out=0,
        gate=Gate(state=UNPROVEN, why=f"made of the names of {len(taxonomy)} labels alone"),
    )
    scores = scores.changed(erased=list(aspects)) if aspects else scores
    return _made(job, made, scores, labels, matched, begun)


def _taxonomy(job: FitJob) -> list[Label]:
    return [] if job.file.classes is None else read_taxonomy(job.file.classes)


def _kept(job: FitJob, labels: LabelSet, matched: str, begun: float) -> Fitted | None:
    """Keep the transform where nothing but base vectors differs from what it was made from."""
    card = read_manifest(job.transform / CARD, Card)
    if card is None or job.force or not _same_but_base(card, job, matched):
        return None
    about = {"made_from": job.made_from, **_read(labels)}
    new = {job.transform / CARD: manifest_bytes(card.changed(**about))}
    scores = read_manifest(job.metric, Scores) or Scores()
    return _laid(job, new, _report(job, labels, scores, begun, refitted=False))


def _made(
    job: FitJob, made: Transform, scores: Scores, labels: LabelSet, matched: str, begun: float
) -> Fitted:
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


def _matched(own: str, aspects: Mapping[str, LabelSet]) -> str:
    """Return a fingerprint of what is learnt from, and of the labels of what the view is without.

    own: of the labelled texts, or of the names of labels.
    """
    if not aspects:
        return own
    return digest(own, [(name, each.fingerprint) for name, each in aspects.items()])


def _fingerprint(job: FitJob, matched: str) -> str:
    """Return a fingerprint of all that makes the transform; scores carry it in git."""
    return digest(job.made_from["params"], job.made_from["encoder"], matched)


def _same_but_base(card: Card, job: FitJob, matched: str) -> bool:
    unchanged = all(card.made_from.get(key) == job.made_from[key] for key in ("params", "encoder"))
    made = card.matched == matched and fits(card, read_manifest(job.metric, Scores))
    return unchanged and made and is_whole(job.transform)


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
        gate=Gate.model_validate(gate.told()),
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
