"""What the steps of one ingest share: the documents, where the corpus lies, how it is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tasks.core.corpus.table_columns import TableColumns
from tasks.core.documents.quarantine import RejectLog
from tasks.core.documents.source_rows import source_rows
from tasks.core.documents.staging import Intake
from tasks.core.documents.wanted import wanted
from tasks.core.settings.table_sections import IngestSettings

GROUP_ROWS = 50_000  # rows of a staged part: as many are in memory at a time


@dataclass(frozen=True)
class CorpusFiles:
    """Where a corpus lies: its table, what is known of its sources, and the rejected rows."""

    table: Path
    known: Path
    rejects: Path


@dataclass(frozen=True)
class Work:
    """One ingest: `names` and `contents` (hashes) are those of the `sources`, in their order."""

    sources: Sequence[Path]
    names: Sequence[str]
    contents: Sequence[str]
    root: Path
    files: CorpusFiles
    settings: IngestSettings
    folder: Path
    batch_rows: int
    advance: Callable[[int], None]

    def read(self, chosen: Sequence[int], log: RejectLog, part: str) -> Intake:
        """Read the sources at the places `chosen`, and stage their rows in the folder `part`."""
        folder = self.folder / part
        folder.mkdir()
        sources = [self.sources[at] for at in chosen]
        intake = Intake(folder, log, self.root, sources, GROUP_ROWS)
        alone = len(self.sources) == 1
        asked = wanted(self.settings)
        for each in source_rows(sources, self.root, asked, self.batch_rows, alone=alone):
            intake.add(*each)
            self.advance(len(each.rows) + len(each.rows.rejected))
        intake.close()
        return intake


@dataclass(frozen=True)
class Outcome:
    """What an ingest has made: `known` has a row a source, `digest` the sum of all hashes
    of rows and that of the columns.

    repeated: kept rows with the text of another; too_wide: what to say of columns left out.
    """

    known: pl.DataFrame
    columns: TableColumns
    digest: int
    repeated: int
    too_wide: str = ""
