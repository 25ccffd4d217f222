"""Bring documents in, and build the corpus from them."""

from __future__ import annotations

from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.core.corpus.building import CorpusReport, build
from tasks.core.corpus.work import CorpusFiles
from tasks.core.documents.bringing import bring
from tasks.core.documents.copying import Incoming
from tasks.core.settings.table_sections import IngestSettings
from tasks.core.workspace.manifests import IngestStamp
from tasks.progress import track


@task(name="bring in", cache_policy=NO_CACHE)
def bring_in(files: list[Incoming], raw: Path, note: Path) -> int:
    """Copy files to their place in data/raw, each whole or not at all; return how many."""
    bring(files, raw, note)
    return len(files)


@task(name="build corpus", cache_policy=NO_CACHE)
def build_corpus(
    sources: list[Path],
    contents: list[str],
    root: Path,
    files: CorpusFiles,
    settings: IngestSettings,
    before: IngestStamp | None,
) -> CorpusReport:
    """Make the corpus of `sources`, reading those whose content is not the one that was noted."""
    with track("ingest", None, "rows") as advance:
        return build(
            sources, root, files, settings, contents=contents, before=before, advance=advance
        )
