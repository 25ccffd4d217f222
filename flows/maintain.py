"""Upkeep: tables compacted, earlier versions let go, indices refreshed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from prefect import flow

from flows.queries.workspace import Workspace
from flows.record import record_run
from flows.runtime.flow_run_output import SAY, as_child
from flows.runtime.lock import writer
from flows.runtime.prefect_artifacts import leave_table
from flows.runtime.run_log import say
from flows.stores.publishing import publish, sweep
from flows.stores.settling import check
from tasks.core.settings.params import load_params
from tasks.core.store import layout, tables
from tasks.core.workspace.instruction_name import BASE
from tasks.core.workspace.manifest import read_manifest, write_manifest
from tasks.core.workspace.manifests import EmbedStamp, IngestStamp, ViewStamp
from tasks.core.workspace.paths import Paths
from tasks.maintain import UpkeepReport, forget_transforms, maintain_table

CORPUS = "corpus"


@flow(name="maintain", flow_run_name="maintain", **SAY)
def maintain(root: Path, commit: bool = False) -> list[UpkeepReport]:
    """Keep every table small and quick, and record it; what readers see stays the same rows."""
    as_child()
    paths, params = Paths(root), load_params(Paths(root).params)
    keep, fragments = timedelta(days=params.maintain.keep_days), params.maintain.fragments
    reports = []
    with writer(paths):
        check(paths, params)
        if layout.exists(paths.corpus_table):
            before = layout.state(paths.corpus_table)
            reports.append(maintain_table(CORPUS, paths.corpus_table, keep, fragments))
            _note_again(paths, before)
        if layout.exists(paths.base_table):
            reports.append(maintain_table(BASE, paths.base_table, keep, fragments))
            made = read_manifest(paths.stamp("embed"), EmbedStamp)
            if made is not None and made.index != reports[-1].index:
                write_manifest(paths.stamp("embed"), made.changed(index=reports[-1].index))
        for name in Workspace(root).views:
            reports.append(maintain_table(name, paths.view_table(name), keep, fragments))
            stamp = read_manifest(paths.view_stamp(name), ViewStamp) or ViewStamp()
            was, live = reports[-1].live
            if stamp.version == was != live:  # the same rows, in fewer pieces
                new = stamp.changed(version=live)
                index = reports[-1].index
                write_manifest(paths.view_stamp(name), new.changed(index=index) if index else new)
            kept = paths.kept_transform(name, stamp.transform).parent
            forget_transforms(kept, stamp.transform, keep)
        record_run(paths, params, "maintain", commit=commit)
        publish(paths, params, anew=True)
        sweep(paths, params)
    leave_table("maintain", "Upkeep", [_row(report) for report in reports])
    say(*(report.in_words for report in reports))
    return reports


def _note_again(paths: Paths, was: str) -> None:
    """Note the corpus in fewer pieces where it was noted in the state `was`: the same rows."""
    now, version = layout.state(paths.corpus_table), tables.version(paths.corpus_table)
    corpus = read_manifest(paths.stamp("ingest"), IngestStamp)
    if corpus is not None and corpus.content == was:
        write_manifest(paths.stamp("ingest"), corpus.changed(content=now))
    base = read_manifest(paths.stamp("embed"), EmbedStamp)
    if base is not None and base.corpus_content == was:
        noted = base.changed(corpus_content=now, corpus_version=version)
        write_manifest(paths.stamp("embed"), noted)


def _row(report: UpkeepReport) -> dict[str, object]:
    return {
        "table": report.name,
        "compacted": report.compacted,
        "MiB before": round(report.before.mib, 1),
        "MiB after": round(report.after.mib, 1),
        "fragments before": report.before.fragments,
        "fragments after": report.after.fragments,
        "versions before": report.before.versions,
        "versions after": report.after.versions,
    }
