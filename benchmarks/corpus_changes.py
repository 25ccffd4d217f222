"""What an ingest, the plan of an embedding and the labels of a fit take at many rows.

    python -m benchmarks.corpus_changes --rows 1000000 --folder /tmp/corpus-changes

Synthetic texts of eight words in files of 10,000 rows; each step in a process of its own. Then one
text of one file is another.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.measure import in_child, peak_mib, say, size_of
from tasks.core.corpus.building import build, noted
from tasks.core.corpus.work import CorpusFiles
from tasks.core.encoding import base_table, planning
from tasks.core.labels.files import label_file
from tasks.core.labels.reader import read_labels
from tasks.core.settings.table_sections import IngestSettings
from tasks.core.store import arrow, layout, tables
from tasks.core.workspace.files import content_hash
from tasks.core.workspace.manifest import read_manifest, write_manifest
from tasks.core.workspace.manifests import IngestStamp

PER_FILE = 10_000
WORDS = 5_000
LABELLED = 2_000


def documents(folder: Path, number: int, changed: bool = False) -> None:
    """Write one file of texts by its number; `changed`: its first text is another."""
    rng = np.random.default_rng(number)
    words = rng.integers(0, WORDS, (PER_FILE, 8))
    names = pl.Series([f"word{n}" for n in range(WORDS)])
    columns = [names.gather(words[:, at]) for at in range(8)]
    frame = pl.DataFrame({f"w{at}": column for at, column in enumerate(columns)})
    texts = frame.select(text=pl.concat_str(pl.all(), separator=" "))["text"]
    if changed:
        texts = pl.concat([pl.Series(["another text"]), texts[1:]])
    first = number * PER_FILE
    ids = pl.Series([f"m{first + n}" for n in range(PER_FILE)])
    pl.DataFrame({"id": ids, "text": texts}).write_csv(folder / f"part{number:05}.csv")


def files_of(folder: Path) -> CorpusFiles:
    """Return where the corpus of this benchmark lies."""
    corpus = folder / "corpus"
    return CorpusFiles(
        corpus / "corpus.lance", corpus / "sources.parquet", folder / "rejects.jsonl"
    )


def ingest(folder: str) -> dict[str, Any]:
    """Ingest what is there; return what it took and how many bytes it added."""
    root = Path(folder)
    sources = sorted((root / "raw").iterdir())
    files, note, asked = files_of(root), root / "ingest.json", IngestSettings()
    known = set((root / "corpus").rglob("*"))
    contents = [content_hash(path) for path in sources]
    started = _clock()
    before = read_manifest(note, IngestStamp)
    report = build(sources, root, files, asked, contents=contents, before=before)
    write_manifest(note, IngestStamp(**asdict(report), **noted(files, asked)))
    took = _since(started)
    new = [path for path in (root / "corpus").rglob("*") if path not in known and path.is_file()]
    added = sum(path.stat().st_size for path in {*new, files.known})
    return took | {"kept": report.kept, "added_bytes": added}


def embed(folder: str) -> dict[str, Any]:
    """Make a base table of the corpus with vectors of four numbers, a chunk at a time."""
    corpus, table = files_of(Path(folder)).table, Path(folder) / "base.lance"
    rng, made = np.random.default_rng(0), []
    for batch in tables.batches(corpus, list(tables.columns(corpus))):
        frame = pl.DataFrame(batch)
        vectors = rng.normal(size=(len(frame), 4))
        rows = arrow.assemble(frame, {tables.VECTOR: arrow.vector_array(vectors, "float16")})
        made += tables.write_fragments(table, rows, {}, fresh=True)
    tables.commit_whole(table, rows.schema, {}, made)
    noted = {"version": tables.version(corpus), "content": layout.state(corpus)}
    (Path(folder) / "made_of.json").write_text(json.dumps(noted))
    return {}


def plan(folder: str, how: str) -> dict[str, Any]:
    """Plan an embedding: 'new' of all rows, by the 'table', or by comparing 'hashes'."""
    corpus, table = files_of(Path(folder)).table, Path(folder) / "base.lance"
    made_of = None
    if how == "table":
        made_of = planning.Made(**json.loads((Path(folder) / "made_of.json").read_text()))
    started = _clock()
    found = planning.plan(corpus, table, rebuild=how == "new", made_of=made_of)
    return _since(started) | {"planned": len(found.rows)}


def labels(folder: str, by: str) -> dict[str, Any]:
    """Read 2,000 labels that name their texts by id or by text, as a fit does."""
    table, file = Path(folder) / "base.lance", Path(folder) / f"{by}.csv"
    step = max(1, tables.count(table) // LABELLED)
    rows = tables.take(table, np.arange(LABELLED) * step, [by])
    marks = pl.Series("label", [f"label{n % 5}" for n in range(LABELLED)])
    pl.DataFrame(rows).with_columns(marks).write_csv(file)
    started = _clock()
    keys, texts = base_table.keys(table), base_table.texts(table)
    found = read_labels(label_file(file, "topic"), keys, 10, texts=texts)
    return _since(started) | {"labelled": len(found.ids)}


def _clock() -> tuple[float, float]:
    return time.process_time(), peak_mib()


def _since(started: tuple[float, float]) -> dict[str, Any]:
    cpu, mib = started
    return {"cpu_s": time.process_time() - cpu, "before_mib": mib, "peak_mib": peak_mib()}


def main() -> None:
    """Print a line of Markdown a step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, required=True)
    asked = parser.parse_args()
    folder: Path = asked.folder
    (folder / "raw").mkdir(parents=True)
    for number in range(asked.rows // PER_FILE):
        documents(folder / "raw", number)
    steps: list[tuple[str, str, dict[str, str]]] = [
        ("ingest of all", "ingest", {}),
        ("", "embed", {}),
        ("plan of all", "plan", {"how": "new"}),
        ("labels by id", "labels", {"by": "id"}),
        ("labels by text", "labels", {"by": "text"}),
        ("ingest of one changed row", "ingest", {}),
        ("its plan, by the table", "plan", {"how": "table"}),
        ("its plan, by hashes", "plan", {"how": "hashes"}),
    ]
    print("| step | CPU s | MiB before | peak MiB | more |\n|---|--:|--:|--:|---|")
    for name, work, more in steps:
        if "changed" in name:
            documents(folder / "raw", 0, changed=True)
        say(name or work)
        found = in_child("benchmarks.corpus_changes", work, folder=folder, **more)
        if name:
            cpu, before, peak = (found.pop(key) for key in ("cpu_s", "before_mib", "peak_mib"))
            told = ", ".join(f"{value:,} {key}" for key, value in found.items())
            print(f"| {name} | {cpu:.2f} | {before:,.0f} | {peak:,.0f} | {told} |", flush=True)
    say(f"{size_of(folder / 'corpus'):,} bytes of corpus, {size_of(folder / 'raw'):,} of documents")


if __name__ == "__main__":
    main()
