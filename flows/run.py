"""The main job: the four verbs in order, then a record of what they made."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from prefect import flow

from flows.artifacts import leave_table
from flows.embed import EmbedReport, embed
from flows.fit import FitOutcome, fit
from flows.ingest import ingest
from flows.lock import writer
from flows.materialise import ViewReport, materialise
from flows.stale import embed_verdict, ingest_verdict, sources_fingerprint, state_digest
from tasks.core.corpus import CorpusReport
from tasks.core.documents import expand
from tasks.core.files import write_json
from tasks.core.params import load_params
from tasks.core.paths import Paths
from tasks.record import record


@dataclass(frozen=True)
class RunReport:
    """What each verb made; None where nothing was stale."""

    ingest: CorpusReport | None
    embed: EmbedReport | None
    fit: FitOutcome
    materialise: list[ViewReport]
    recorded: bool
    seconds: dict[str, float] = field(default_factory=dict)


@flow(name="run", flow_run_name="run")
def run(root: Path) -> RunReport:
    """Bring everything up to date and record it in DVC."""
    paths, params = Paths(root), load_params(Paths(root).params)
    clock = _Clock()
    with writer(paths):
        sources = expand(params.ingest.sources, root)
        stale = ingest_verdict(paths, sources_fingerprint(paths, params, sources)).stale
        corpus = ingest(root) if stale else None
        clock.lap("ingest")
        vectors = embed(root) if embed_verdict(paths, params).stale else None
        clock.lap("embed")
        transforms = fit(root)
        clock.lap("fit")
        views = materialise(root)
        clock.lap("materialise")
        recorded = paths.in_dvc()
        if recorded:
            record(root)
            clock.lap("record")
        _leave(corpus, vectors, transforms, views)
        write_json(paths.recorded, {"state": state_digest(paths), "dvc": recorded})
    return RunReport(corpus, vectors, transforms, views, recorded, clock.laps)


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
        now = time.perf_counter()
        self.laps[name] = now - self._last
        self._last = now
