"""What is stale, decided from small notes on disk, before anything heavy is imported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.state.label_changes import LABELS, NEW_BASE, label_fingerprints, what_changed
from flows.state.label_sources import label_sources
from flows.state.sources import documents
from flows.state.wholeness import is_view, mixture, unfinished
from tasks.core.encoding import vector_space
from tasks.core.labels.files import LabelFile
from tasks.core.settings.params import Params
from tasks.core.store.layout import exists, state
from tasks.core.text.near_names import listed
from tasks.core.transforms.card import CARD, REVISION
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import digest
from tasks.core.workspace.label_manifests import LabelCard
from tasks.core.workspace.manifests import (
    Card,
    EmbedStamp,
    Hold,
    IngestStamp,
    Rejection,
    ViewStamp,
)
from tasks.core.workspace.one_look import hashes_in, once, one_look, read_manifest
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.state_manifests import RecordNote
from tasks.versioning.dvcignore import is_recordable


@dataclass(frozen=True)
class Verdict:
    """Whether something has to be made, and why."""

    stale: bool
    reason: str


FRESH = Verdict(False, "up to date")
REJECTED = "rejected: "
NO_VIEW, NEW_TRANSFORM = "no view yet", "a new transform"
HELD_BY = (*LABELS, "params", "encoder")  # not by the base: rows that arrive end no rollback


def sources_fingerprint(paths: Paths, params: Params, sources: list[Path]) -> str:
    """Return a fingerprint of the input documents and of the settings that read them."""
    names = [paths.inside(source) for source in sources]
    hashes = hashes_in(paths.hashes).all(sources)
    return digest(list(zip(names, hashes, strict=True)), params.ingest.model_dump(mode="json"))


def ingest_verdict(paths: Paths, fingerprint: str) -> Verdict:
    """Compare the corpus with the documents and settings that `fingerprint` names."""
    stamp = read_manifest(paths.stamp("ingest"), IngestStamp)
    if stamp is not None and not exists(paths.corpus_table) and paths.earlier_corpus.is_file():
        return Verdict(True, "the corpus is a file, as earlier versions kept it")
    if stamp is None or not exists(paths.corpus_table):
        return Verdict(True, "no corpus yet")
    if not paths.corpus_figures.is_file():
        return Verdict(True, "no figures of the corpus yet")
    if stamp.fingerprint != fingerprint:
        return Verdict(True, "documents or settings changed")
    if stamp.content != state(paths.corpus_table):
        return Verdict(True, "the corpus is not the one that was noted")
    return FRESH


def corpus_is_stale(paths: Paths, params: Params) -> bool:
    """Tell whether the documents ask for a new corpus; InputError where there are none."""
    found = documents(paths, params).files
    return ingest_verdict(paths, sources_fingerprint(paths, params, found)).stale


def base_digest(corpus_digest: str, space: str, storage: str) -> str:
    """Return a fingerprint of what the base table holds: corpus, vector space, storage type."""
    return digest(corpus_digest, space, storage)


def embed_verdict(paths: Paths, params: Params) -> Verdict:
    """Compare the base vectors with the corpus and the encoder that is asked for."""
    corpus = read_manifest(paths.stamp("ingest"), IngestStamp)
    if corpus is None:
        return Verdict(False, "no corpus yet")
    stamp = read_manifest(paths.stamp("embed"), EmbedStamp)
    if stamp is None or not exists(paths.base_table):
        return Verdict(True, "no base vectors yet")
    if stamp.encoder != vector_space.fingerprint(params.embed):
        return Verdict(True, "another encoder")
    if stamp.storage != params.embed.storage:
        return Verdict(True, "another storage type")
    if stamp.corpus is None:
        return Verdict(True, "an embedding was stopped halfway")
    if stamp.corpus != corpus.digest:
        return Verdict(True, "the corpus changed")
    return FRESH


def fit_fingerprints(paths: Paths, params: Params, name: str, file: LabelFile) -> dict[str, str]:
    """Return a fingerprint of each thing a transform is made from, as its card notes them."""
    base = read_manifest(paths.stamp("embed"), EmbedStamp) or EmbedStamp()
    return {
        **label_fingerprints(paths, params, name, file),
        "params": settings_fingerprint(params.of(name), wording(paths, params, name)),
        "encoder": base.read_by_transforms,
        "base": base.digest,
    }


def wording(paths: Paths, params: Params, name: str) -> str:
    """Return the wording of an instruction: of `params.yaml`, of its label card, or its name."""
    card = read_manifest(paths.label_card(name), LabelCard)
    own = name if card is None or card.wording is None else card.wording
    return params.wording(name) or own


def settings_fingerprint(params: Params, wording: str) -> str:
    """Return a fingerprint of formulas, settings of `fit` and wording: all beside the labels."""
    fit = params.fit.model_dump(mode="json")
    used = {key: value for key, value in fit.items() if not isinstance(value, dict)}
    used |= {"settings": params.fit.method_settings()}
    return digest(REVISION, used, wording)


def fit_verdict(paths: Paths, name: str, now: dict[str, str]) -> Verdict:
    """Compare with the transform's card, or with the note of a rollback or a rejection."""
    mixed = mixture(paths, name)
    held = hold_reason(paths, name, now)
    if held is not None and mixed is None:
        return Verdict(False, held)
    rejected = read_manifest(paths.rejection(name), Rejection)
    if rejected is not None and rejected.made_from == now:
        return Verdict(False, REJECTED + rejected.reason)
    card = read_manifest(paths.transform(name) / CARD, Card)
    if card is None or mixed is not None:
        return Verdict(True, mixed or "no transform yet")
    change = what_changed(card, now)
    return Verdict(True, change) if change else FRESH


def hold_reason(paths: Paths, name: str, now: dict[str, str]) -> str | None:
    """Return why a rolled-back transform stays, as long as its labels and settings do."""
    hold = read_manifest(paths.hold(name), Hold)
    card = read_manifest(paths.transform(name) / CARD, Card)
    if hold is None or card is None or hold.transform != card.fingerprint:
        return None
    if any(hold.made_from.get(key) != now.get(key) for key in HELD_BY):
        return None
    return (
        f"held at {hold.version} by rollback; change the labels,"
        f" or run 'refract fit {name} --force'"
    )


def view_verdict(paths: Paths, params: Params, name: str) -> Verdict:
    """Compare a view with its transform, its settings and the base vectors."""
    card = read_manifest(paths.transform(name) / CARD, Card)
    if card is None:
        return Verdict(False, "no transform yet")
    stamp = read_manifest(paths.view_stamp(name), ViewStamp)
    if stamp is None or not is_view(paths, name, stamp):
        return Verdict(True, NO_VIEW)
    if stamp.transform != card.fingerprint:
        return Verdict(True, NEW_TRANSFORM)
    if stamp.storage != params.materialise.storage:
        return Verdict(True, "another storage type")
    if stamp.text != params.materialise.text:
        return Verdict(True, "texts in the view" if params.materialise.text else "no texts in it")
    mode = view_mode(paths, params, name)
    if stamp.mode != mode:
        return Verdict(True, f"is {stamp.mode}, and is to be {mode}")
    base = read_manifest(paths.stamp("embed"), EmbedStamp)
    if not stamp.lazy and stamp.base != (base and base.digest):
        return Verdict(True, NEW_BASE)
    return FRESH


def view_mode(paths: Paths, params: Params, name: str) -> str:
    """Return whether a view is to be full or lazy, by the settings and the rows of all views."""
    base = read_manifest(paths.stamp("embed"), EmbedStamp) or EmbedStamp()
    return params.mode(name, lambda: base.rows * once("views", lambda: len(fitted(paths))))


def state_digest(paths: Paths) -> str:
    """Return a fingerprint of what a run records: settings, stamps, labels and scores."""
    files = [paths.params, paths.pipeline, paths.stamp("ingest"), paths.stamp("embed")]
    for folder, pattern in (
        (paths.transforms, f"*/{CARD}"),
        (paths.views, "*.json"),
        (paths.metric_folder, "*"),
        (paths.labels, "**/*"),
    ):
        files += sorted(path for path in folder.glob(pattern) if is_recordable(path))
    present = [path for path in files if path.is_file()]
    names = [paths.inside(path) for path in present]
    return digest(list(zip(names, hashes_in(paths.hashes).all(present), strict=True)))


def fitted(paths: Paths) -> list[str]:
    """Return the names of instructions that have a transform."""
    return sorted(folder.parent.name for folder in paths.transforms.glob(f"*/{CARD}"))


def to_retire(paths: Paths, params: Params) -> list[str]:
    """Return the instructions whose view goes, as the settings have it, with its label file.

    None where the whole folder is gone: a drive that is not mounted has removed no label file.
    """
    if not (params.materialise.retire and paths.labels.is_dir()):
        return []
    files = label_sources(paths)
    known = {*files, *(Path(name).name.split(".", 1)[0] for name in files.errors)}
    known |= params.columns().keys()  # one that cannot be looked up, without a corpus, is not gone
    return [name for name in fitted(paths) if name not in known]


@one_look()
def rejections(paths: Paths, params: Params, names: Sequence[str]) -> dict[str, str]:
    """Return the label files that are known to be unusable as they are, with the reason."""
    files = label_sources(paths)
    reasons = {name: str(error) for name, error in files.errors.items()}
    for name, file in files.items():
        verdict = fit_verdict(paths, name, fit_fingerprints(paths, params, name, file))
        if verdict.reason.startswith(REJECTED):
            reasons[name] = verdict.reason.removeprefix(REJECTED)
    return {name: why for name, why in reasons.items() if not names or name in names}


def wanted_labels(paths: Paths, names: Sequence[str]) -> dict[str, LabelFile]:
    """Return the label files of `names`, or all; InputError before there are vectors to fit on."""
    if not paths.stamp("embed").is_file():
        raise InputError("data/vectors: no base vectors yet; expected some; run 'refract embed'")
    files = label_sources(paths)
    missing = [name for name in names if name not in files]
    if missing:
        if missing[0] in files.errors:
            raise files.errors[missing[0]]
        raise InputError(
            f"data/labels: no label file for {', '.join(missing)}; expected"
            f" data/labels/{missing[0]}.csv, .tsv, .jsonl or .parquet, a column of the documents"
            f" ('refract fit {missing[0]} --from-column COLUMN'), their names alone (--classes"
            f" 'A, B'), or 'refract label {missing[0]}';"
            f" known: {listed(missing[0], files)}"
        )
    return {name: files[name] for name in names} if names else dict(files)


def wanted_views(paths: Paths, names: Sequence[str]) -> list[str]:
    """Return `names`, or all that have a transform; InputError for one that has none."""
    known = fitted(paths)
    missing = [name for name in names if name not in known]
    if missing:
        raise InputError(
            f"data/transforms: no transform for {', '.join(missing)}; expected a fitted one;"
            f" run 'refract fit {missing[0]}'; known: {listed(missing[0], known)}"
        )
    return list(names) or known


@one_look()
def any_fit(paths: Paths, params: Params, names: Sequence[str]) -> bool:
    """Tell whether any label file (of `names`, if given) asks for a fit."""
    return paths.exchange.is_file() or any(
        fit_verdict(paths, name, fit_fingerprints(paths, params, name, file)).stale
        for name, file in wanted_labels(paths, names).items()
    )


@one_look()
def any_view(paths: Paths, params: Params, names: Sequence[str]) -> bool:
    """Tell whether any view (of `names`, if given) has to be written."""
    stale = paths.exchange.is_file() or any(
        view_verdict(paths, params, name).stale for name in wanted_views(paths, names)
    )
    return stale or (not names and bool(to_retire(paths, params)))


@one_look()
def anything(paths: Paths, params: Params) -> bool:
    """Tell whether `run` has anything to make or to record."""
    return bool(unfinished(paths)) or corpus_is_stale(paths, params) or anything_left(paths, params)


@one_look()
def anything_left(paths: Paths, params: Params) -> bool:
    """Tell whether something is to be made or recorded of the corpus there is."""
    recorded = read_manifest(paths.recorded, RecordNote)
    return (
        bool(unfinished(paths))
        or embed_verdict(paths, params).stale
        or any_fit(paths, params, [])
        or any_view(paths, params, [])
        or recorded != RecordNote(state=state_digest(paths), dvc=paths.in_dvc())
    )
