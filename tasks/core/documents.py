"""Input documents: which files they are, which columns matter, and their rows in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.core.delimited import read_delimited
from tasks.core.errors import InputError
from tasks.core.formats import ACCEPTED, format_of, known_format, open_text, reading
from tasks.core.jsonlines import read_json
from tasks.core.records import (
    BATCH_LIMIT,
    INVALID,
    ROW_LIMIT,
    TOO_LONG,
    Batch,
    Reject,
    encodable,
    excerpt,
)
from tasks.core.tables import read_arrow, read_parquet

TEXT_NAMES = (
    "text",
    "content",
    "body",
    "message",
    "document",
    "review",
    "tweet",
    "comment",
    "description",
    "sentence",
)
ID_NAMES = (
    "id",
    "_id",
    "doc_id",
    "docid",
    "document_id",
    "text_id",
    "message_id",
    "tweet_id",
    "review_id",
    "comment_id",
    "key",
    "uuid",
    "guid",
)
READERS = {
    "delimited": read_delimited,
    "json": read_json,
    "parquet": read_parquet,
    "arrow": read_arrow,
}


@dataclass(frozen=True)
class Columns:
    """The columns that matter; without an `id` the text's hash is the id."""

    id: str | None
    text: str
    metadata: tuple[str, ...]


def detect_columns(
    header: Sequence[str],
    id: str | None = None,  # noqa: A002 - named as in params.yaml, for good
    text: str | None = None,
    metadata: Sequence[str] | None = None,
    source: str = "input",
) -> Columns:
    """Choose the columns of `source`: the configured ones, or else by their usual names.

    Names are compared without regard to case. `metadata=None` keeps all the others.
    """
    found_text = (
        _configured(header, text, "text", source) if text else find_column(header, TEXT_NAMES)
    )
    if found_text is None:
        raise InputError(
            f"{source}: found no text column among {_listed(header)}; expected one of"
            f" {', '.join(TEXT_NAMES)}; name yours in params.yaml: ingest.text"
        )
    rest = [name for name in header if name != found_text]
    found_id = _configured(header, id, "id", source) if id else find_column(rest, ID_NAMES)
    if found_id == found_text:
        raise InputError(
            f"{source}: found column '{found_id}' for both id and text; expected two columns;"
            " change params.yaml: ingest.id or ingest.text"
        )
    if metadata is not None:
        rest = [_configured(header, name, "metadata", source) for name in metadata]
    kept = dict.fromkeys(name for name in rest if name not in (found_id, found_text))
    return Columns(found_id, found_text, tuple(kept))


def find_column(header: Sequence[str], names: Iterable[str]) -> str | None:
    """Return the column whose name comes first in `names`, whatever its case, or None."""
    by_name = {name.lower(): name for name in reversed(header)}
    return next((by_name[name] for name in names if name in by_name), None)


def _configured(header: Sequence[str], name: str, option: str, source: str) -> str:
    found = name if name in header else find_column(header, [name.lower()])
    if found is None:
        raise InputError(
            f"{source}: found columns {_listed(header)}; expected '{name}', which params.yaml:"
            f" ingest.{option} names; correct the option or the file"
        )
    return found


def _listed(header: Sequence[str], limit: int = 20) -> str:
    more = f" and {len(header) - limit} more" if len(header) > limit else ""
    return ", ".join(f"'{name}'" for name in header[:limit]) + more or "none"


def expand(sources: Sequence[str], root: Path) -> list[Path]:
    """Return the files that `sources` name, below `root` or absolute, each once.

    A folder gives all its files, recursively and sorted, without the hidden ones and DVC's notes
    (`*.dvc`); so does a glob.
    """
    if not sources:
        raise InputError(
            "found no source of documents; expected a file, a folder or a glob;"
            " name one in params.yaml: ingest.sources"
        )
    files: dict[Path, None] = {}
    for source in sources:
        files.update(dict.fromkeys(_expand_one(source, root)))
    return list(files)


def _expand_one(source: str, root: Path) -> list[Path]:
    path = root / source
    if path.is_dir():
        files = _visible(path, path.rglob("*"))
        missing = "an empty folder; expected documents in it; put some there"
    elif path.exists():
        files, missing = [path], ""
    elif any(mark in source for mark in "*?["):
        files = _matching(source, path)
        missing = "no file that matches; expected at least one; correct the pattern"
    else:
        files, missing = [], "no such file or folder; expected documents; correct the path"
    if not files:
        raise InputError(f"{source}: found {missing}, or name another source")
    _refuse_others(source, files)
    return files


def _matching(source: str, path: Path) -> list[Path]:
    first = next(n for n, part in enumerate(path.parts) if any(mark in part for mark in "*?["))
    base, pattern = Path(*path.parts[:first]), "/".join(path.parts[first:])
    try:
        return _visible(base, base.glob(pattern + "/*" if pattern.endswith("**") else pattern))
    except ValueError as error:
        raise InputError(
            f"{source}: found a pattern that is none ({error}); expected '**' only as a whole"
            " folder name; correct it"
        ) from error


def _visible(base: Path, paths: Iterable[Path]) -> list[Path]:
    return sorted(
        path
        for path in paths
        if not any(part.startswith(".") and part != ".." for part in path.relative_to(base).parts)
        and path.suffix != ".dvc"
        and not path.is_dir()
    )


def _refuse_others(source: str, files: list[Path]) -> None:
    others = [path for path in files if known_format(path) is None or not path.is_file()]
    if others:
        names = ", ".join(path.name for path in others[:3])
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        raise InputError(
            f"{source}: found {len(others)} of {len(files)} files of another format"
            f" ({names}{more}); expected {ACCEPTED}; convert them or move them out"
        )


def batches(path: Path, rows: int = 50_000) -> Iterator[Batch]:
    """Read `path` in batches of at most `rows` rows; memory is bounded by one batch.

    Rows that cannot be read are in the batch's `rejected`. A file that is broken as a whole
    raises InputError, possibly after some batches.
    """
    kind = format_of(path).kind
    if kind == "document":
        return read_documents([path], rows)
    return READERS[kind](path, rows)


def is_document(path: Path) -> bool:
    """Say whether the whole of `path` is one document."""
    return format_of(path).kind == "document"


def read_documents(paths: Iterable[Path], rows: int = 50_000) -> Iterator[Batch]:
    """Read files that are one document each, many to a batch."""
    texts: list[str | None] = []
    batch, size = Batch(columns={"text": texts}), 0
    for path in paths:
        with reading(path), open_text(path) as handle:
            text = handle.read(ROW_LIMIT + 1)
        reason = TOO_LONG if len(text) > ROW_LIMIT else "" if encodable(text) else INVALID
        if reason:
            batch.rejected.append(Reject(path, 1, reason, excerpt(text)))
        else:
            texts.append(text)
            batch.paths.append(path)
            batch.positions.append(1)
            size += len(text)
        if len(batch) + len(batch.rejected) >= rows or size >= BATCH_LIMIT:
            yield batch
            texts = []
            batch, size = Batch(columns={"text": texts}), 0
    yield batch
