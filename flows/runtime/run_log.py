"""What a flow run did, in a handful of lines on its page in the Prefect UI."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tasks.core.workspace.manifest import read_manifest
from tasks.core.workspace.manifests import Scores
from tasks.core.workspace.paths import Paths
from tasks.versioning.messages import live_line

if TYPE_CHECKING:
    from flows.run import RunReport

NOTHING = "nothing to do: everything is up to date"


def say(*lines: str) -> None:
    """Log each line on the page of the flow run at work."""
    from prefect.logging import get_run_logger

    logger = get_run_logger()
    for line in lines:
        logger.info(line)


def run_lines(paths: Paths, report: RunReport, made: Sequence[str] = ()) -> list[str]:
    """Return what was taken in, which views are live now, and what was not used or not sent.

    made: views that were made before this report, in the same flow run.
    """
    views = [*made, *(view.name for view in report.materialise)]
    return [
        *_texts(report),
        *_views(paths, views, report.record.tags),
        *(f"{name}: not used: {reason}" for name, reason in report.fit.rejected.items()),
        *_record(report),
    ] or [NOTHING]


def _texts(report: RunReport) -> Iterator[str]:
    corpus, vectors = report.ingest, report.embed
    if corpus is not None:
        rejected = sum(corpus.rejected.values())
        aside = f"; {rejected:,} rejected, see data/quarantine/documents" if rejected else ""
        yield f"{corpus.kept:,} texts in {corpus.sources:,} files{aside}"
    if vectors is not None:
        yield f"{vectors.encoded:,} texts encoded; {vectors.rows:,} base vectors"


def _views(paths: Paths, made: Sequence[str], tags: Sequence[str]) -> Iterator[str]:
    versions = dict(tag.split("/")[-2:] for tag in tags)
    for name in sorted({*made, *versions}):
        yield live_line(
            name, read_manifest(paths.metric(name), Scores) or Scores(), versions.get(name)
        )


def _record(report: RunReport) -> Iterator[str]:
    record = report.record
    if record.commit and record.message:
        yield f"recorded as {record.commit[:8]}: {record.message.splitlines()[0]}"
    yield from (f"not sent: {reason}" for reason in record.unsent)
