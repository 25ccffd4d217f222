"""Documents → corpus."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from prefect import flow

from flows.runtime.lock import writer
from flows.runtime.prefect_artifacts import leave_table
from flows.state.sources import documents
from flows.state.staleness import sources_fingerprint
from tasks.core.documents.copying import Incoming
from tasks.core.documents.corpus import CorpusReport
from tasks.core.settings.params import load_params
from tasks.core.workspace.files import Hashes
from tasks.core.workspace.manifest import write_manifest
from tasks.core.workspace.manifests import CorpusFigures, IngestStamp
from tasks.core.workspace.paths import Paths
from tasks.ingest import bring_in, build_corpus


@flow(name="ingest", flow_run_name="ingest")
def ingest(root: Path, bring: list[Incoming] | None = None) -> CorpusReport:
    """Build the corpus from the configured sources, after bringing the files `bring` in."""
    paths, params = Paths(root), load_params(Paths(root).params)
    with writer(paths):
        if bring:
            bring_in(bring, paths.raw, paths.bringing)
        found = documents(paths, params)
        sources = found.files
        fingerprint = sources_fingerprint(paths, params, sources)
        paths.rejected_documents.parent.mkdir(parents=True, exist_ok=True)
        report = build_corpus(
            sources, root, paths.corpus_file, paths.rejected_documents, params.ingest
        )
        report = replace(report, remarks=[*found.remarks(), *report.remarks])
        content = Hashes(paths.hashes).all([paths.corpus_file])[0]
        stamp = IngestStamp(fingerprint=fingerprint, content=content, **asdict(report))
        write_manifest(paths.corpus_figures, _figures(report))
        write_manifest(paths.stamp("ingest"), stamp)
    counts = {"read": report.read, "kept": report.kept, **report.rejected, **report.notes}
    leave_table("ingest", "Corpus", [{"what": key, "texts": n} for key, n in counts.items()])
    return report


def _figures(report: CorpusReport) -> CorpusFigures:
    return CorpusFigures(texts=report.kept, sources=report.sources, rejected=report.rejected)
