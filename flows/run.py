"""The main job: the four verbs in order, then a record of what they made."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from prefect import flow

from flows.checkout import finish_checkout
from flows.embed import EmbedReport, embed
from flows.engine.choosing import engine
from flows.fit import FitOutcome, fit
from flows.ingest import ingest
from flows.materialise import ViewReport, materialise
from flows.record import Recorded, record_run
from flows.runtime.lock import writer
from flows.runtime.prefect_artifacts import leave_table
from flows.runtime.prefect_settings import no_heartbeats
from flows.runtime.run_log import run_lines, say
from flows.state.label_sources import label_sources
from flows.state.staleness import any_fit, any_view, corpus_is_stale, embed_verdict, rejections
from flows.state.trust import ask, ask_recording
from tasks.core.corpus.building import CorpusReport
from tasks.core.settings.params import Params, load_params
from tasks.core.workspace.paths import Paths
from tasks.signs import stage
from tasks.versioning.commit import check_committable


@dataclass(frozen=True)
class RunReport:
    """What each verb made; None where nothing was stale."""

    ingest: CorpusReport | None
    embed: EmbedReport | None
    fit: FitOutcome
    materialise: list[ViewReport]
    recorded: bool
    record: Recorded
    seconds: dict[str, float] = field(default_factory=dict)


@flow(name="run", flow_run_name="run")
def run(root: Path, commit: bool = False) -> RunReport:
    """Bring everything up to date and record it in DVC, with `commit` also in git."""
    return bring_up_to_date(root, "run", commit=commit)


def bring_up_to_date(
    root: Path, subject: str, *, commit: bool, documents: bool = True, made: Sequence[str] = ()
) -> RunReport:
    """Ingest, embed, fit and materialise what is stale, and record the outcome under `subject`.

    documents: take in what changed in the sources; else only what an earlier run has left undone.
    made: views that this flow run has made before, for its log.
    """
    finish_checkout(Paths(root))
    paths, params = Paths(root), load_params(Paths(root).params)
    clock = _Clock()
    ask(paths, "model", "sources", "engine")
    ask_recording(paths, params)
    if commit:
        check_committable(root, params.record.author)  # before hours of work, not after them
    with writer(paths), no_heartbeats(), engine(paths, params.engine):
        params = load_params(paths.params)  # another encoder may have come while this waited
        corpus = _ingest(paths, params) if documents else None
        clock.lap("ingest")
        vectors = _embed(paths, params)
        clock.lap("embed")
        transforms = _fit(paths, params)
        clock.lap("fit")
        views = _materialise(paths, params)
        clock.lap("materialise")
        if paths.in_dvc():
            stage("record")
        recorded = record_run(paths, params, subject, commit=commit)
        if recorded.in_dvc:
            clock.lap("record")
        _leave(corpus, vectors, transforms, views)
    report = RunReport(corpus, vectors, transforms, views, recorded.in_dvc, recorded, clock.laps)
    say(*run_lines(paths, report, made))
    return report


def _ingest(paths: Paths, params: Params) -> CorpusReport | None:
    if not corpus_is_stale(paths, params):
        return None
    stage("ingest")
    return ingest(paths.root)


def _embed(paths: Paths, params: Params) -> EmbedReport | None:
    if not embed_verdict(paths, params).stale:
        return None
    stage("embed")
    return embed(paths.root, arrivals=True)


def _fit(paths: Paths, params: Params) -> FitOutcome:
    unmade = not paths.transforms.is_dir()  # DVC records the stage, also where nothing is labelled
    if unmade or any_fit(paths, params, []) or label_sources(paths).errors:
        stage("fit")
        return fit(paths.root)
    return FitOutcome([], rejections(paths, params, []))


def _materialise(paths: Paths, params: Params) -> list[ViewReport]:
    if paths.views.is_dir() and not any_view(paths, params, []):
        return []
    stage("materialise")
    return materialise(paths.root)


def _leave(
    corpus: CorpusReport | None,
    vectors: EmbedReport | None,
    transforms: FitOutcome,
    views: list[ViewReport],
) -> None:
    made = {
        "texts kept": corpus.kept if corpus else 0,
        "texts encoded": vectors.encoded if vectors else 0,
        "transforms fitted": sum(report.refitted for report in transforms.fitted),
        "label files rejected": len(transforms.rejected),
        "views written": len(views),
    }
    leave_table("run", "Main job", [{"what": what, "count": n} for what, n in made.items()])


class _Clock:
    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        """Note the seconds since the last lap under `name`."""
        now = time.perf_counter()
        self.laps[name] = now - self._last
        self._last = now
