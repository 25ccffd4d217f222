"""An ingest of what changed: the sources that are new, other or gone, and those that share ids."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tasks.core.corpus import difference, known_sources
from tasks.core.corpus.difference import RowsOf
from tasks.core.corpus.sharing import sharing
from tasks.core.corpus.table_columns import TableColumns
from tasks.core.corpus.work import Outcome, Work
from tasks.core.documents.quarantine import RejectLog, merge_rejects
from tasks.core.documents.staging import MODULUS, REPEATED_TEXT, Intake
from tasks.core.documents.tally import column_names
from tasks.core.readers.columns import COLUMN_LIMIT
from tasks.core.workspace.manifests import IngestStamp

MOST = 0.5  # share of the rows from which reading everything costs no more
ROUNDS = 4  # of reading what shares ids, and what shares ids with that; of a longer chain all is


@dataclass(frozen=True)
class Change:
    """The sources that were read again: `others` and `fresh` are what is known of those and these.

    old: their rows in the table; rejects: the log of their rejected rows.
    """

    others: pl.DataFrame
    fresh: pl.DataFrame
    old: RowsOf
    intake: Intake
    rejects: Path


def by_change(work: Work, before: IngestStamp) -> Outcome | None:
    """Read the sources that changed, and change the corpus accordingly, as if all had been read.

    None, and nothing is changed, where all have to be read: another column or type, another order
    of the others, too many rows, or a long chain of files of which each shares ids with the next.
    before: the note of the corpus that there is.
    """
    known = known_sources.load(work.files.known)
    if len(work.names) < 2 or not len(known):  # one that stands alone is judged otherwise
        return None
    stale = _changed(work, known)
    if stale is None:
        return None
    for attempt in range(ROUNDS):
        again = pl.col("name").is_in(pl.Series(list(stale), dtype=pl.String).implode())
        others, changed = known.filter(~again), known.filter(again)
        if int(changed["kept"].sum()) > MOST * int(known["kept"].sum()):
            return None
        old = difference.rows_of(work.files.table, changed["name"].to_list())
        chosen = [at for at, name in enumerate(work.names) if name in stale]
        with RejectLog(work.folder / f"rejected-{attempt}.jsonl") as log:
            intake = work.read(chosen, log, f"change-{attempt}")
        more = sharing(work.files.table, others, old, intake.ids(), intake.parts)
        if not more:
            fresh = known_sources.described(
                [work.names[at] for at in chosen], [work.contents[at] for at in chosen], intake
            )
            return _finish(work, before, known, Change(others, fresh, old, intake, log.path))
        stale |= more
    return None


def _changed(work: Work, known: pl.DataFrame) -> set[str] | None:
    """Return the names of sources that are new, other or gone; None where others changed places."""
    was = dict(zip(known["name"], known["content"], strict=True))
    now = dict(zip(work.names, work.contents, strict=True))
    if len(now) < len(work.names):  # two files are written alike
        return None
    stale = {name for name in was.keys() | now.keys() if was.get(name) != now.get(name)}
    same = [name for name in was if name not in stale]
    return stale if same == [name for name in now if name not in stale] else None


def _finish(work: Work, before: IngestStamp, known: pl.DataFrame, change: Change) -> Outcome | None:
    """Commit a change, unless it leaves no row, or gives the corpus other columns."""
    files, intake = work.files, change.intake
    order = pl.DataFrame({"name": work.names}, schema={"name": pl.String})
    both = pl.concat([change.others, change.fresh])
    now = order.join(both, on="name", how="left", maintain_order="left")
    shapes = known_sources.shapes(now)
    columns = TableColumns.of(shapes)
    alike = columns.kept == before.columns and columns.renamed == before.renamed
    rows = int(now["kept"].sum())
    if not alike or not rows or len(column_names(shapes)) > COLUMN_LIMIT:
        return None
    found = difference.of_some(change.old, intake.parts)
    texts = int(known["kept"].sum()) - before.notes.get(REPEATED_TEXT, 0)
    texts -= difference.fewer_texts(files.table, change.old, found, intake.parts)
    difference.commit(files.table, intake.parts, columns, found)
    was, comes, stands = map(known_sources.rejected_of, (known, change.fresh, now))
    merge_rejects(files.rejects, was, change.rejects, comes, list(stands))
    digest = (int(before.digest, 16) - change.old.digest + intake.digest) % MODULUS
    return Outcome(now, columns, digest, rows - texts)
