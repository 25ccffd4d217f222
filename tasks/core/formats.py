"""Which files are documents, how each is opened, and what is said of those that are not."""

from __future__ import annotations

import io
from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from tasks.core.errors import InputError

KINDS = {
    ".csv": "delimited",
    ".tsv": "delimited",
    ".jsonl": "json",
    ".ndjson": "json",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".txt": "document",
    ".md": "document",
}
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
ACCEPTED = (
    ".csv, .tsv, .jsonl, .ndjson, .txt, .md (each also with .gz or .zst),"
    " .parquet, .arrow, .feather or .ipc"
)


@dataclass(frozen=True)
class Format:
    """What a file's name says about its content."""

    kind: str
    suffix: str
    compression: str | None = None


def known_format(path: Path) -> Format | None:
    """Return the format that the name of `path` promises, or None if it is none of ours."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    compression = COMPRESSIONS.get(suffixes[-1]) if suffixes else None
    if compression:
        suffixes.pop()
    suffix = suffixes[-1] if suffixes else ""
    kind = KINDS.get(suffix)
    if kind is None or (compression and kind in ("parquet", "arrow")):
        return None
    return Format(kind, suffix, compression)


def format_of(path: Path) -> Format:
    """Return the format of `path`; any other than the accepted ones is an InputError."""
    found = known_format(path)
    if found is None:
        raise InputError(
            f"{path}: found a file of format '{''.join(path.suffixes[-2:]) or 'none'}';"
            f" expected {ACCEPTED}; convert it, or leave it out"
        )
    return found


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what Arrow and the system say about a broken `path` into one InputError."""
    try:
        yield
    except (pa.ArrowException, OSError, EOFError, UnicodeDecodeError) as error:
        what = getattr(error, "strerror", None) or " ".join(str(error).split())[:200]
        raise InputError(
            f"{path}: not readable ({what or type(error).__name__}); expected a whole"
            f" {format_of(path).suffix} file; make or copy it again"
        ) from error


def open_bytes(path: Path) -> Any:
    """Open `path` for reading, decompressed by what its name says."""
    raw = pa.OSFile(str(path), "rb")
    compression = format_of(path).compression
    return pa.CompressedInputStream(raw, compression) if compression else raw


def open_text(path: Path) -> io.TextIOWrapper:
    """Open `path` as UTF-8, with or without its mark, line ends as they are.

    A byte that is not UTF-8 becomes a lone surrogate, for the reader to find; Python's own
    `utf-8-sig` loses the first bytes of a mark where the file ends in it.
    """
    raw = io.BufferedReader(open_bytes(path), 1 << 18)
    if raw.peek(len(BOM_UTF8)).startswith(BOM_UTF8):
        raw.read(len(BOM_UTF8))
    return io.TextIOWrapper(raw, encoding="utf-8", errors="surrogateescape", newline="")
