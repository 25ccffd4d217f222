"""Which files are documents, how each is opened, and what is said of those that are not.

A new format has its ending in `KINDS`, and a new kind its reader in `read_documents.READERS`.
"""

from __future__ import annotations

import codecs
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from tasks.core.workspace.errors import InputError

KINDS = {
    ".csv": "delimited",
    ".tsv": "delimited",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".txt": "document",
    ".md": "document",
}
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
_WHOLE = ("parquet", "arrow")  # kinds that compress by themselves
_STREAMS, _OTHERS = (
    [suffix for suffix, kind in KINDS.items() if (kind in _WHOLE) == whole]
    for whole in (False, True)
)
ACCEPTED = (
    f"{', '.join(_STREAMS)} (each also with {' or '.join(COMPRESSIONS)}),"
    f" {', '.join(_OTHERS[:-1])} or {_OTHERS[-1]}"
)
MAGICS = {b"\x1f\x8b\x08": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
OTHERS = {  # what a file of text never begins with
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"BZh9": "bzip2",
    b"\xfd7zXZ": "xz",
    b"7z\xbc\xaf": "a 7z archive",
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file",
    b"PAR1": "Parquet",
    b"ARROW1": "Arrow",
    b"SQLite format 3": "an SQLite database",
    b"version https://git-lfs": "a pointer of Git LFS",
}
MARKS = {  # longest first: that of UTF-32 begins as that of UTF-16
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
WINDOW = "requires too much memory"  # zstd, of a window above its limit of 128 MiB


@dataclass(frozen=True)
class Format:
    """What a file's name says about its content."""

    kind: str
    suffix: str
    compression: str | None = None


@dataclass(frozen=True)
class Hints:
    """How files are written, as far as params.yaml says so; None is found out.

    `header` is a line number from 1, 0 for none. `columns` are names that a header may have.
    """

    delimiter: str | None = None
    quoting: str | None = None
    header: int | None = None
    encoding: str | None = None
    columns: tuple[str, ...] = ()


PLAIN = Hints()


class EmptyFileError(InputError):
    """A file without anything in it: among others it is passed over."""


def known_format(path: Path) -> Format | None:
    """Return the format that the name of `path` promises, or None if it is none of ours."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    compression = COMPRESSIONS.get(suffixes[-1]) if suffixes else None
    if compression:
        suffixes.pop()
    suffix = suffixes[-1] if suffixes else ""
    kind = KINDS.get(suffix)
    if kind is None or (compression and kind in _WHOLE):
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
    except (pa.ArrowException, OSError, EOFError, UnicodeError) as error:
        what = getattr(error, "strerror", None) or " ".join(str(error).split())[:200]
        if WINDOW in what:
            raise InputError(
                f"{path}: found Zstandard with a window above 128 MiB ('zstd --long=28' or more);"
                " expected a smaller one; compress it again without --long"
            ) from error
        raise InputError(
            f"{path}: not readable ({what or type(error).__name__}); expected a whole"
            f" {format_of(path).suffix} file; make or copy it again"
        ) from error


def open_bytes(path: Path) -> Any:
    """Open `path` for reading, decompressed by how it begins, whatever its name says."""
    with path.open("rb") as file:
        begin = file.read(32)
    compression = next((name for magic, name in MAGICS.items() if begin.startswith(magic)), None)
    if compression is None:
        other = next((what for magic, what in OTHERS.items() if begin.startswith(magic)), None)
        if other:
            raise InputError(
                f"{path}: found {other} by its content; expected {format_of(path).suffix};"
                " unpack, export or fetch it ('git lfs pull'), and name it by its format"
            )
        compression = None if _is_text(begin) else format_of(path).compression
    raw = pa.OSFile(os.fsencode(path), "rb")
    return pa.CompressedInputStream(raw, compression) if compression else raw


def _is_text(begin: bytes) -> bool:
    return begin.startswith(tuple(MARKS)) or (
        len(begin) > len(max(MAGICS)) and not any(byte < 9 or 13 < byte < 32 for byte in begin)
    )


def open_text(path: Path, encoding: str | None = None) -> io.TextIOWrapper:
    """Open `path` as text, line ends as they are: UTF-8, or what its mark or `encoding` says.

    A byte that is not UTF-8 becomes a lone surrogate, for the reader to find; Python's own
    `utf-8-sig` loses the first bytes of a mark where the file ends in it.
    """
    raw = io.BufferedReader(open_bytes(path), 1 << 18)
    begin = raw.peek(4)
    mark = next((mark for mark in MARKS if begin.startswith(mark)), None)
    found = MARKS[mark] if mark else encoding or "utf-8"
    if mark == codecs.BOM_UTF8:
        raw.read(len(mark))
    wide = found in ("utf-16", "utf-32")
    errors = "surrogatepass" if wide else "surrogateescape"
    return io.TextIOWrapper(raw, encoding=found, errors=errors, newline="")
