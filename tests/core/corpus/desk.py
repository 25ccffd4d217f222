"""A root with raw files and the corpus made of them, for the tests beside."""

import json
from dataclasses import asdict
from pathlib import Path

import polars as pl

from tasks.core.corpus.building import CorpusReport, build, noted
from tasks.core.corpus.work import CorpusFiles
from tasks.core.documents.sources import expand
from tasks.core.settings.table_sections import IngestSettings
from tasks.core.store import frames, tables
from tasks.core.workspace.files import content_hash
from tasks.core.workspace.manifests import IngestStamp


class Workspace:
    """A root with raw files, and the corpus made from them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.out = root / "data" / "corpus" / "corpus.lance"
        self.rejects = root / "data" / "quarantine" / "ingest.jsonl"
        self.files = CorpusFiles(self.out, self.out.with_name("sources.parquet"), self.rejects)
        self.before: IngestStamp | None = None
        (root / "raw").mkdir(exist_ok=True)

    def put(self, name: str, content: str) -> None:
        (self.root / "raw" / name).write_text(content, "utf-8", newline="")

    def build(self, *sources: str, batch_rows: int = 1_000, **ingest: object) -> CorpusReport:
        found, asked = expand(sources or ["raw"], self.root), IngestSettings(**ingest)
        report = build(
            found,
            self.root,
            self.files,
            asked,
            contents=[content_hash(path) for path in found],
            before=self.before,
            batch_rows=batch_rows,
        )
        self.before = IngestStamp(**asdict(report), **noted(self.files, asked))
        return report

    @property
    def frame(self) -> pl.DataFrame:
        return frames.whole(self.out, list(tables.columns(self.out)))

    @property
    def rows(self) -> set[tuple[object, ...]]:
        columns = sorted(self.frame.columns)
        rows = self.frame.select(columns).rows()
        assert len(set(rows)) == len(rows)
        return set(rows)

    @property
    def rejected(self) -> list[tuple[str, int, str]]:
        lines = map(json.loads, self.rejects.read_text("utf-8").splitlines())
        return [(line["source"], line["position"], line["reason"]) for line in lines]
