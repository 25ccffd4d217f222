"""Documents → corpus."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from prefect import flow

from flows.runtime.lock import writer
from flows.runtime.prefect_artifacts import leave_table
from flows.state.sources import documents
from flows.state.staleness import sources_fingerprint
from flows.stores.settling import settle
from tasks.core.corpus.building import CorpusReport, noted
from tasks.core.corpus.work import CorpusFiles
from tasks.core.documents.copying import Incoming
from tasks.core.settings.params import load_params
from tasks.core.workspace.files import Hashes
from tasks.core.workspace.manifest import read_manifest, write_manifest
from tasks.core.workspace.manifests import CorpusFigures, IngestStamp
from tasks.core.workspace.paths import Paths
from tasks.ingest import bring_in, build_corpus


@flow(name="ingest", flow_run_name="ingest")
def ingest(root: Path, bring: list[Incoming] | None = None) -> CorpusReport:
    """Build the corpus from the configured sources, after bringing the files `bring` in."""
    paths, params = Paths(root), load_params(Paths(root).params)
    with writer(paths):
        settle(paths, params, paths.corpus_table)
        if bring:
            bring_in(bring, paths.raw, paths.bringing)
        found = documents(paths, params)
        sources = found.files
        fingerprint = sources_fingerprint(paths, params, sources)
        paths.rejected_documents.parent.mkdir(parents=True, exist_ok=True)
        files = CorpusFiles(paths.corpus_table, paths.known_sources, paths.rejected_documents)
        contents = Hashes(paths.hashes).all(sources)
        before = read_manifest(paths.stamp("ingest"), IngestStamp)
        report = build_corpus(sources, contents, root, files, params.ingest, before)
        report = replace(report, remarks=[*found.remarks(), *report.remarks])
        made = asdict(report) | noted(files, params.ingest)
        write_manifest(paths.corpus_figures, _figures(report))
        paths.earlier_corpus.unlink(missing_ok=True)  # before the note: a kill repeats both
        write_manifest(paths.stamp("ingest"), IngestStamp(fingerprint=fingerprint, **made))
    counts = {"read": report.read, "kept": report.kept, **report.rejected, **report.notes}
    leave_table("ingest", "Corpus", [{"what": key, "texts": n} for key, n in counts.items()])
    return report


def _figures(report: CorpusReport) -> CorpusFigures:
    return CorpusFigures(texts=report.kept, sources=report.sources, rejected=report.rejected)
