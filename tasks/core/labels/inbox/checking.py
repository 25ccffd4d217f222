"""Whether posted labels can be taken: each about texts that are there, each a label as files hold.

Nothing of a request is taken where one of its rows cannot be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tasks.core.documents.staging import text_hash
from tasks.core.labels.cells import understood
from tasks.core.labels.multilabel import joined
from tasks.core.labels.rows import ABSENT
from tasks.core.readers.records import encodable
from tasks.core.text.discretion import shown
from tasks.core.text.ids import plain
from tasks.core.text.same_text import TextKeys
from tasks.core.workspace.errors import InputError

MOST = 10_000  # rows of a request
LONGEST = 1_000  # characters of a label; our own choice: a name is shown on a button
_NAMED = 3  # unknown ids and texts that a message names


@dataclass(frozen=True)
class PostedRow:
    """A row as it was posted: about an id or a text, one of both; label None withdraws."""

    id: str | None
    text: str | None
    label: str | None


def checked(
    rows: Sequence[PostedRow], keys: TextKeys, separator: str | None
) -> list[tuple[str, str | None]]:
    """Return (id, label) for each text of the corpus that `rows` are about, in their order.

    A text that stands under several ids is labelled under all of them. separator: see
    `fit.separator`. InputError names the first rows that cannot be taken.
    """
    if not 1 <= len(rows) <= MOST:
        raise InputError(f"rows: found {len(rows):,}; expected 1 to {MOST:,}; post them in parts")
    labels = [_label(at, row.label, separator) for at, row in enumerate(rows, 1)]
    for at, row in enumerate(rows, 1):
        if (row.id is None) == (row.text is None):
            found = "neither" if row.id is None else "both"
            raise InputError(f"row {at}: found {found} of id and text; expected one of them")
    ids = _found(rows, lambda row: row.id and plain(row.id), keys, "id")
    hashes = _found(rows, lambda row: row.text, keys, "text_hash")
    taken = []
    for row, label in zip(rows, labels, strict=True):
        about = ids[plain(row.id)] if row.id is not None else hashes[str(row.text)]
        taken += [(key, label) for key in about]
    return taken


def canonical(label: str, separator: str | None) -> str | None:
    """Return a label as it is read from a file; several as a JSON list. None where it is no label.

    Words that may say that there is none, such as `NA`, are no label: what they mean depends on
    the others in the file.
    """
    if not encodable(label):
        return None
    answer = understood(label, separator)
    made = joined(answer.labels)
    if not made or answer.binary or made in ABSENT or len(made) > LONGEST:
        return None
    return made if understood(made, separator).labels == answer.labels else None


def _label(at: int, label: str | None, separator: str | None) -> str | None:
    if label is None:
        return None
    made = canonical(label, separator)
    if made is None:
        raise InputError(
            f"row {at}: found label {shown(label)}; expected a name of at most {LONGEST:,}"
            " characters that is not blank, no list of numbers or object, and no word for"
            " 'none'; rename it, or post null to withdraw"
        )
    return made


def _found(
    rows: Sequence[PostedRow], of: Callable[[PostedRow], str | None], keys: TextKeys, column: str
) -> dict[str, list[str]]:
    """Return the ids of the corpus by what rows name them by; InputError for what is not there."""
    asked = list(dict.fromkeys(said for row in rows if (said := of(row)) is not None))
    name = {said: _name(said, column) for said in asked}
    ids: dict[str, list[str]] = defaultdict(list)
    wanted = {each for each in name.values() if each}
    for frame in keys(column, wanted) if wanted else ():
        for key, value in frame.select("id", column if column != "id" else "text_hash").rows():
            ids[key if column == "id" else value].append(key)
    unknown = [said for said in asked if name[said] not in ids]
    if unknown:
        what = "ids" if column == "id" else "texts"
        raise InputError(
            f"rows: found {len(unknown):,} {what} that are not in the corpus, such as"
            f" {', '.join(map(shown, unknown[:_NAMED]))}; expected those of texts that are"
            " embedded; nothing was written, leave them out"
        )
    return {said: ids[str(name[said])] for said in asked}


def _name(said: str, column: str) -> str | None:
    if not said or not encodable(said):
        return None
    return said if column == "id" else text_hash(said)
