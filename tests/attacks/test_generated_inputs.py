"""2,000 documents and label files by a fixed seed: rows and counted rejects, or one line."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

from tasks.core.corpus.building import build
from tasks.core.corpus.work import CorpusFiles
from tasks.core.documents.sources import survey
from tasks.core.documents.staging import text_hash
from tasks.core.labels.files import label_file
from tasks.core.labels.reader import read_labels
from tasks.core.readers.read_documents import batches
from tasks.core.settings.table_sections import IngestSettings
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths
from tests.attacks import documents
from tests.attacks.documents import Row
from tests.corpora import keys_of

pytestmark = pytest.mark.attack

SEED = 14
PARTS, EACH = 20, 25  # of each of the four kinds: 2,000 in all
PATIENCE = 30  # seconds after which one input counts as a hang
LINES = 24  # through the command line


@contextmanager
def bounded() -> Iterator[None]:
    def hang(*_: object) -> None:
        raise TimeoutError(f"longer than {PATIENCE} s")

    before = signal.signal(signal.SIGALRM, hang)
    signal.alarm(PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def read(path: Path) -> tuple[list[Row], int, list[str]]:
    """Return the rows, the number of rejected ones, and what was said."""
    rows: list[Row] = []
    rejected, said = 0, []
    for batch in batches(path, 13):
        assert all(len(cells) == len(batch) for cells in batch.columns.values())
        nothing: list[str | None] = [None] * len(batch)
        ids, texts = batch.columns.get("id", nothing), batch.columns.get("text", nothing)
        rows += [(str(key), str(text)) for key, text in zip(ids, texts, strict=True)]
        rejected += len(batch.rejected)
        said += batch.remarks
    return rows, rejected, said


def reads_what_was_written(rng: random.Random, folder: Path) -> None:
    make = documents.table if rng.random() < 0.4 else documents.known
    path, written = make(rng, folder)
    rows, rejected, said = read(path)
    assert rows == written or len(rows) + rejected == len(written), (rows[:3], written[:3], said)


def ends_in_a_corpus_or_one_line(rng: random.Random, folder: Path) -> None:
    make = documents.table if rng.random() < 0.3 else documents.known
    path, _ = make(rng, folder)
    if rng.random() < 0.9:
        documents.damaged(rng, path)
    strays = ["_SUCCESS", "Thumbs.db", "a.csv~", "LICENSE", "empty.csv"]
    for name in rng.sample(strays, rng.randint(0, 3)):
        (folder / name).touch()
    try:
        found = survey([str(folder)], folder.parent)
        files = CorpusFiles(folder / ".lance", folder / ".known", folder / ".rejected")
        contents = ["unread"] * len(found.files)
        report = build(found.files, folder.parent, files, IngestSettings(), contents=contents)
    except InputError as error:
        assert "\n" not in str(error).replace(str(folder), "").replace(path.name, "")
    else:
        assert report.read == report.kept + sum(report.rejected.values())


def _corpus(written: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(
        {"id": [key for key, _ in written], "text_hash": [text_hash(text) for _, text in written]}
    )


def label_files_end_in_labels_or_one_line(rng: random.Random, folder: Path) -> None:
    written = documents.rows(rng)
    labels = [(key, rng.choice(["good", "bad", "fair, so"])) for key, _ in written]
    suffix, content = rng.choice(documents.WRITERS[:-1])(rng, labels)
    compression, data = documents.packed(rng, content.replace("text", "label", 1).encode())
    path = folder / f"mood{suffix}{compression}"
    path.write_bytes(data)
    intact = rng.random() < 0.3
    if not intact:
        documents.damaged(rng, path)
    try:
        found = read_labels(label_file(path, "mood"), keys_of(_corpus(written)), 1, 1)
    except InputError:
        assert not intact
        return
    assert set(found.ids) <= {key for key, _ in written}
    if intact:
        assert len(found.ids) + sum(found.reasons.values()) >= len(written)
        assert all(dict(labels)[key] == found.label_of[key] for key in found.ids)


def noise_ends_in_rows_or_one_line(rng: random.Random, folder: Path) -> None:
    suffix = rng.choice(
        [".csv", ".tsv", ".jsonl", ".json", ".parquet", ".arrow", ".csv.gz", ".jsonl.zst", ".txt"]
    )
    alphabet = rng.choice([b'",\n\t\r;|\\ab1', b'[]{}":,\\ \nu0d8"', bytes(range(256))])
    data = bytes(rng.choices(alphabet, k=rng.randint(0, 3_000)))
    begin = rng.choice([b"", b"id,text\n", b"id\ttext\n", b'{"text":"', b"[{", b"sep=;\n", b"PAR1"])
    path = folder / f"{rng.choice(documents.NAMES)}{suffix}"
    path.write_bytes(begin + data)
    try:
        read(path)
    except InputError:
        return


KINDS: list[Callable[[random.Random, Path], None]] = [
    reads_what_was_written,
    ends_in_a_corpus_or_one_line,
    label_files_end_in_labels_or_one_line,
    noise_ends_in_rows_or_one_line,
]


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_generated_input(tmp_path, kind, part):
    faults = []
    for number in range(EACH):
        name = f"{SEED}-{kind.__name__}-{part}-{number}"
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            with bounded():
                kind(random.Random(name), folder)
        except Exception as error:
            faults.append(f"{name}: {type(error).__name__}: {str(error)[:300]}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("number", range(LINES))
def test_a_generated_input_through_the_command_line(tmp_path, number):
    """A broken file ends `refract ingest` with one line and exit code 2, and leaves nothing."""
    rng = random.Random(f"{SEED}-line-{number}")
    raw = tmp_path / "data" / "raw"
    raw.mkdir(parents=True)
    Paths(tmp_path).params.write_text("instructions: {}\n")
    while True:
        path, _ = rng.choice([documents.table, documents.known])(rng, tmp_path)
        documents.damaged(rng, path)
        try:
            list(batches(path))
        except InputError:
            break
        path.unlink()
    done = subprocess.run(
        [sys.executable, "-m", "flows", "ingest", str(path)],
        cwd=tmp_path,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert b"Traceback" not in done.stderr
    assert not list(raw.iterdir())
