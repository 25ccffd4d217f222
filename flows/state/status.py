"""What is there, and what is stale and why; read from small notes alone."""

from __future__ import annotations

from typing import Any

from flows.state import staleness
from flows.state.label_sources import label_sources
from flows.state.sources import documents
from flows.state.trust import ask
from flows.state.wholeness import unfinished
from tasks.core.settings.params import Params
from tasks.core.transforms.card import CARD
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifest import read_manifest
from tasks.core.workspace.manifests import (
    ByMeasure,
    Card,
    EmbedStamp,
    IngestStamp,
    Scores,
    ViewStamp,
)
from tasks.core.workspace.paths import Paths


def read_status(paths: Paths, params: Params) -> dict[str, Any]:
    """Return the state of the workspace as a JSON value."""
    ask(paths, "links")  # what it remembers of files is written down
    return {
        "root": str(paths.root.resolve()),
        "unfinished": unfinished(paths),
        "corpus": _corpus(paths, params),
        "vectors": _vectors(paths, params),
        "instructions": _instructions(paths, params),
    }


def _corpus(paths: Paths, params: Params) -> dict[str, Any]:
    stamp = read_manifest(paths.stamp("ingest"), IngestStamp) or IngestStamp()
    try:
        sources = documents(paths, params).files
        verdict = staleness.ingest_verdict(
            paths, staleness.sources_fingerprint(paths, params, sources)
        )
    except InputError as error:
        verdict = staleness.Verdict(True, str(error))
    return {
        "texts": stamp.kept,
        "sources": stamp.sources,
        "rejected": stamp.rejected,
        "notes": stamp.notes,
        "remarks": stamp.remarks,
        "columns": stamp.columns,
        **_said(verdict),
    }


def _vectors(paths: Paths, params: Params) -> dict[str, Any]:
    known = read_manifest(paths.stamp("embed"), EmbedStamp)
    stamp = known or EmbedStamp()
    return {
        "rows": None if known is None else stamp.rows,
        "dimensions": stamp.dimensions,
        "model": stamp.model,
        "precision": stamp.precision,
        "storage": stamp.storage,
        "truncated": stamp.truncated,
        **_said(staleness.embed_verdict(paths, params)),
    }


def _instructions(paths: Paths, params: Params) -> dict[str, Any]:
    files = label_sources(paths)
    names = sorted({*files, *staleness.fitted(paths)})
    known = {name: _instruction(paths, params, name, files) for name in names}
    for name, error in files.errors.items():
        rejected = staleness.Verdict(False, staleness.REJECTED + str(error))
        known[name] = known.get(name, NOTHING) | {"transform": _said(rejected)}
    return known


NOTHING: dict[str, Any] = {  # of a label file whose name is no instruction's
    "wording": "",
    "labels": {},
    "notes": {},
    "read_as": [],
    "gate": {},
    "method": None,
    "before": {},
    "after": {},
    "texts": None,
    "held_out": None,
    "accuracy": None,
    "knn_ceiling": None,
    "rows": 0,
    "dimensions": None,
    "view": {"stale": False, "reason": staleness.FRESH.reason},
}


def _instruction(paths: Paths, params: Params, name: str, files: dict[str, Any]) -> dict[str, Any]:
    card = read_manifest(paths.transform(name) / CARD, Card) or Card()
    view = read_manifest(paths.view_stamp(name), ViewStamp) or ViewStamp()
    scores = read_manifest(paths.metric(name), Scores) or Scores()
    if name in files:
        made_from = staleness.fit_fingerprints(paths, params, name, files[name])
        fit = staleness.fit_verdict(paths, name, made_from)
    else:
        fit = staleness.Verdict(False, "its label file is gone; transform and view are kept")
    return {
        "wording": staleness.wording(paths, params, name),
        "labels": card.counts,
        "notes": card.notes,
        "read_as": card.read_as,
        "gate": {"state": card.gate.state, "why": card.gate.why}
        if card.gate and card.gate.state
        else {},
        "method": card.method or None,
        "before": _defined(scores.before),
        "after": _defined(scores.after),
        "texts": scores.texts,
        "held_out": scores.held_out,
        "accuracy": scores.accuracy,
        "knn_ceiling": scores.knn_ceiling,
        "rows": view.rows,
        "dimensions": view.size,
        "transform": _said(fit),
        "view": _said(staleness.view_verdict(paths, params, name)),
    }


def _defined(figures: ByMeasure) -> ByMeasure:
    return {measure: figure for measure, figure in figures.items() if figure is not None}


def _said(verdict: staleness.Verdict) -> dict[str, Any]:
    return {"stale": verdict.stale, "reason": verdict.reason}
