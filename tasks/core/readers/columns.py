"""Which columns of a file matter: by params.yaml, or by their usual names."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tasks.core.readers.formats import Hints
from tasks.core.workspace.errors import InputError

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
USUAL = frozenset((*TEXT_NAMES, *ID_NAMES, "label", "labels", "class", "category"))
COLUMN_LIMIT = 256  # of one file; more are data that became columns


class NoTextError(InputError):
    """A file without a column of texts: metadata of others are passed over for it.

    candidates: columns that could be it, the longest texts first.
    """

    def __init__(self, message: str, source: str = "", candidates: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.source, self.candidates = source, list(candidates)


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
    candidates: Sequence[str] = (),
) -> Columns:
    """Choose the columns of `source`: the configured ones, or else by their usual names.

    Names are compared without regard to case. `metadata=None` keeps all the others. candidates:
    columns that NoTextError is to name.
    """
    found_text = (
        _configured(header, text, "text", source) if text else find_column(header, TEXT_NAMES)
    )
    if found_text is None:
        raise NoTextError(
            f"{source}: found no text column among {_listed(header)}; expected one of"
            f" {', '.join(TEXT_NAMES)}; {_advice(candidates)}",
            source,
            candidates,
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


def _advice(candidates: Sequence[str]) -> str:
    if not candidates:
        return "name yours in params.yaml: ingest.text"
    others = ", ".join(f"'{name}'" for name in candidates[1:])
    more = f"; texts are in {others}, too" if others else ""
    return f"name yours, such as 'refract ingest --text {shlex.quote(candidates[0])}'{more}"


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


@dataclass(frozen=True)
class Wanted:
    """The columns that params.yaml names, and how it says that files are written."""

    id: str | None
    text: str | None
    metadata: tuple[str, ...] | None
    hints: Hints

    def columns(
        self, header: Sequence[str], source: str, candidates: Sequence[str] = ()
    ) -> Columns:
        """Return which columns of `header` are id, text and metadata."""
        return detect_columns(
            header, self.id, self.text, self.metadata, source=source, candidates=candidates
        )


def too_many(names: Sequence[str], wanted: Sequence[str]) -> tuple[list[str], str]:
    """Return which of a file's columns are read, and what is to be said of the others.

    Beyond the first 256 these are the ones with usual names, and those that are `wanted`.
    """
    if len(names) <= COLUMN_LIMIT:
        return list(names), ""
    always = USUAL | {name.lower() for name in wanted}
    kept = [n for at, n in enumerate(names) if at < COLUMN_LIMIT or n.lower() in always]
    return kept, more_columns(f"{len(names):,} columns")


def more_columns(found: str) -> str:
    """Return the remark that columns beyond the first COLUMN_LIMIT were left out."""
    return (
        f"{found}: the first {COLUMN_LIMIT} are read; name others that matter in params.yaml:"
        " ingest.metadata"
    )
