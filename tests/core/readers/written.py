"""Files of documents as tests write them, and what is read of them."""

import csv
import gzip
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from tasks.core.readers import records
from tasks.core.readers.read_documents import batches


def encode(rows: Sequence[Sequence[str]], suffix: str, names: Sequence[str]) -> bytes:
    if suffix == ".jsonl":
        lines = (json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows)
        return "".join(lines).encode()
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter="\t" if suffix == ".tsv" else ",")
    writer.writerow(names)
    writer.writerows(rows)
    return out.getvalue().encode()


def compress(data: bytes, suffix: str) -> bytes:
    if suffix == ".gz":
        return gzip.compress(data)
    return pa.compress(data, "zstd", asbytes=True) if suffix == ".zst" else data


def put(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(
    path: Path, rows: int = 50_000
) -> tuple[dict[str, list[str | None]], list[records.Reject]]:
    columns: dict[str, list[str | None]] = {}
    rejected: list[records.Reject] = []
    for batch in batches(path, rows):
        assert len(batch) + len(batch.rejected) <= rows
        for name, values in batch.columns.items():
            assert len(values) == len(batch.positions) == len(batch.paths)
            columns.setdefault(name, []).extend(values)
        rejected += batch.rejected
    return columns, rejected


def remarks(path: Path) -> list[str]:
    return [remark for batch in batches(path) for remark in batch.remarks]


def reasons(path: Path) -> list[tuple[int, str]]:
    return [(each.position, each.reason) for each in read(path)[1]]
