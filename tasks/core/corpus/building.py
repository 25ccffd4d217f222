"""The corpus: every usable text once, a row of a table, with its id, hashes and metadata."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from tasks.core.corpus import difference, known_sources
from tasks.core.corpus.changing import by_change
from tasks.core.corpus.table_columns import TableColumns
from tasks.core.corpus.work import GROUP_ROWS, CorpusFiles, Outcome, Work
from tasks.core.documents.quarantine import RejectLog
from tasks.core.documents.sources import inside
from tasks.core.documents.staging import MODULUS, REPEATED_TEXT
from tasks.core.settings.table_sections import IngestSettings
from tasks.core.store import layout, maintenance, orphans
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import content_hash, digest
from tasks.core.workspace.manifests import IngestStamp

REVISION = 1  # of how documents are read: raise it where the same file gives other rows
VERSIONS = 10  # of the table that stay at hand, for what follows to be told by what changed


@dataclass(frozen=True)
class CorpusReport:
    """What became of the documents: `read` is `kept` plus all of `rejected`.

    `columns` maps each metadata column to its type, `renamed` its old name to its new one;
    `digest` names columns and rows, in whatever order; `remarks` say how files were read that were
    not plain.
    """

    sources: int
    read: int
    kept: int
    rejected: dict[str, int]
    notes: dict[str, int]
    columns: dict[str, str]
    renamed: dict[str, str]
    digest: str
    remarks: list[str] = field(default_factory=list)


def build(
    sources: Sequence[Path],
    root: Path,
    files: CorpusFiles,
    settings: IngestSettings,
    *,
    contents: Sequence[str],
    before: IngestStamp | None = None,
    batch_rows: int = GROUP_ROWS,
    advance: Callable[[int], None] = lambda _: None,
) -> CorpusReport:
    """Make the corpus of `sources`, in their order, whose hashes are `contents`.

    Where `before` notes the corpus that there is (see `noted`), only sources that changed are read
    again, and those that share an id with them: the outcome is as if all had been, but for the
    order of rows. Without an id column the id is the text's hash. Of several rows with one id the
    first is kept: the same text again is a 'repeated row', another text goes to quarantine. The
    same text under several ids is kept, and noted. With no usable row at all InputError, and
    nothing is written. The table changes in one commit, by the rows that differ.
    """
    names = [inside(path, root) for path in sources]
    with _workplace(files.table) as folder:
        work = Work(sources, names, contents, root, files, settings, folder, batch_rows, advance)
        made = by_change(work, before) if before and _is_of(before, files, settings) else None
        made = made or _whole(work)
        maintenance.bound_versions(files.table, VERSIONS)
        if made.too_wide or len(set(names)) < len(names):
            files.known.unlink(missing_ok=True)  # then a source cannot be told from the others
        else:
            known_sources.save(files.known, made.known)
    return _report(made)


def noted(files: CorpusFiles, settings: IngestSettings) -> dict[str, str]:
    """Return what names a corpus as it lies there, and how its documents are read.

    A note of it has the same where nothing was changed behind it: else all is read again.
    """
    return {
        "content": layout.state(files.table),
        "known": content_hash(files.known) if files.known.is_file() else "",
        "quarantine": content_hash(files.rejects) if files.rejects.is_file() else "",
        "read_by": digest(REVISION, settings.model_dump(mode="json")),
    }


def _is_of(before: IngestStamp, files: CorpusFiles, settings: IngestSettings) -> bool:
    now = noted(files, settings)
    whole = bool(now["known"] and before.digest)
    return whole and all(getattr(before, key) == now[key] for key in now)


def _whole(work: Work) -> Outcome:
    """Read all sources, and make the table hold their rows."""
    with RejectLog(work.files.rejects) as log:
        intake = work.read(range(len(work.sources)), log, "whole")
        known = known_sources.described(work.names, work.contents, intake)
        if not intake.parts:
            raise InputError(_nothing_kept(known))
        columns = TableColumns.of(known_sources.shapes(known))
        repeated = intake.repeated_texts()
        found = difference.of_whole(work.files.table, intake.parts, columns)
        difference.commit(work.files.table, intake.parts, columns, found)
    total = (intake.digest + columns.digest) % MODULUS
    return Outcome(known, columns, total, repeated, intake.too_wide)


@contextmanager
def _workplace(table: Path) -> Iterator[Path]:
    folder = layout.staging(table)
    if not layout.exists(table):
        layout.check_place(table)
        shutil.rmtree(table, ignore_errors=True)  # of a first ingest that was killed
    elif folder.is_dir():
        orphans.sweep(table)  # of an ingest that was killed
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    except BaseException:
        if layout.exists(table):
            orphans.sweep(table)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _report(made: Outcome) -> CorpusReport:
    known = made.known
    remarks = known_sources.remarks(known)
    return CorpusReport(
        sources=len(known),
        read=int(known["read"].sum()),
        kept=int(known["kept"].sum()),
        rejected=dict(sorted(known_sources.rejected(known).items())),
        notes={REPEATED_TEXT: made.repeated} if made.repeated else {},
        columns=made.columns.kept,
        renamed=made.columns.renamed,
        digest=f"{made.digest:032x}",
        remarks=[*remarks, made.too_wide] if made.too_wide else remarks,
    )


def _nothing_kept(known: pl.DataFrame) -> str:
    found = known_sources.rejected(known).most_common(5)
    reasons = ", ".join(f"{count} {reason}" for reason, count in found)
    return (
        f"found no usable row among {known['read'].sum()} in {len(known)} file(s)"
        f" ({reasons or 'no rows'});"
        " expected at least one text; check the files and params.yaml: ingest.text and ingest.id"
    )
