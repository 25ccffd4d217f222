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
from tasks.core.workspace.files import number_in, object_in, read_json
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
    stamp = read_json(paths.stamp("ingest")) or {}
    try:
        sources = documents(paths, params).files
        verdict = staleness.ingest_verdict(
            paths, staleness.sources_fingerprint(paths, params, sources)
        )
    except InputError as error:
        verdict = staleness.Verdict(True, str(error))
    return {
        "texts": number_in(stamp, "kept"),
        "sources": number_in(stamp, "sources"),
        "rejected": object_in(stamp, "rejected"),
        "notes": object_in(stamp, "notes"),
        "remarks": stamp.get("remarks", []),
        "columns": object_in(stamp, "columns"),
        **_said(verdict),
    }


def _vectors(paths: Paths, params: Params) -> dict[str, Any]:
    stamp = read_json(paths.stamp("embed")) or {}
    kept = ("dimensions", "model", "precision", "storage", "truncated")
    told = {key: stamp.get(key) for key in kept}
    rows = {"rows": number_in(stamp, "rows") if stamp else None}
    return rows | told | _said(staleness.embed_verdict(paths, params))


def _instructions(paths: Paths, params: Params) -> dict[str, Any]:
    files = label_sources(paths)
    names = sorted({*files, *staleness.fitted(paths)})
    known = {name: _instruction(paths, params, name, files) for name in names}
    unusable = {
        name: {
            "wording": "",
            "transform": _said(staleness.Verdict(False, staleness.REJECTED + str(error))),
        }
        for name, error in files.errors.items()
    }
    for name in set(known) & set(unusable):
        unusable[name] = known[name] | unusable[name] | {"wording": known[name]["wording"]}
    return known | unusable


def _instruction(paths: Paths, params: Params, name: str, files: dict[str, Any]) -> dict[str, Any]:
    card = read_json(paths.transform(name) / CARD) or {}
    view = read_json(paths.view_stamp(name)) or {}
    scores = read_json(paths.metric(name)) or {}
    if name in files:
        made_from = staleness.fit_fingerprints(paths, params, name, files[name])
        fit = staleness.fit_verdict(paths, name, made_from)
    else:
        fit = staleness.Verdict(False, "its label file is gone; transform and view are kept")
    return {
        "wording": staleness.wording(paths, params, name),
        "labels": object_in(card, "counts", int),
        "notes": object_in(card, "notes", int),
        "read_as": [str(line) for line in card.get("read_as") or ()],
        "gate": object_in(card, "gate"),
        "method": card.get("method"),
        "before": object_in(scores, "before", int | float),
        "after": object_in(scores, "after", int | float),
        "held_out": scores.get("held_out"),
        "rows": number_in(view, "rows"),
        "dimensions": view.get("size"),
        "transform": _said(fit),
        "view": _said(staleness.view_verdict(paths, params, name)),
    }


def _said(verdict: staleness.Verdict) -> dict[str, Any]:
    return {"stale": verdict.stale, "reason": verdict.reason}
