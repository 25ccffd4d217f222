"""Posted labels into the label file of their annotator, once a key, whoever else posts.

What was answered is noted before the label file is replaced, with the content that it had: a note
whose content is still there belongs to a request that was killed in between, and counts as none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from tasks.core.labels.inbox.posted_rows import PostedLabel, read_posted, state, write_posted
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import digest, sweep_beside
from tasks.core.workspace.manifest import read_manifest, write_manifest
from tasks.core.workspace.state_manifests import PostedNote, ReceiptNote, ReplacedNote

KEYS = 256  # answers that are remembered for each label file, the newest
REPLACED = 20_000  # replaced labels in all of these together: 2 MB


@dataclass(frozen=True)
class Inbox:
    """Where the labels of one annotator of an instruction go.

    file: his label file. note: what was answered to which key. lock: held while either changes.
    """

    file: Path
    note: Path
    lock: Path
    annotator: str


@dataclass(frozen=True)
class Receipt:
    """What became of a request; repeated: it was answered before, and nothing was written now.

    accepted: its texts; unchanged: those that had the label before; replaced: those that had
    another, with that label.
    """

    accepted: int
    unchanged: int
    replaced: list[ReplacedNote]
    repeated: bool = False


def post(inbox: Inbox, key: str, rows: Sequence[tuple[str, str | None]], time: str) -> Receipt:
    """Apply (id, label) rows by id, the last of an id, and return when they are on disk.

    label None withdraws what this annotator has said. A key that was answered before gets the same
    answer; InputError where it comes with other rows.
    """
    asked = digest([list(row) for row in rows])
    inbox.lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(inbox.lock):
        known = _answered(inbox)
        before = next((each for each in known if each.key == key), None)
        if before is not None:
            return _repeated(before, asked)
        there = read_posted(inbox.file)
        said = dict(rows)
        receipt = _receipt(rows, said, there)
        now = _applied(there, said, inbox.annotator, time)
        told = ReceiptNote(
            key=key,
            asked=asked,
            accepted=receipt.accepted,
            unchanged=receipt.unchanged,
            replaced=receipt.replaced,
        )
        answered = _newest([*known, told])
        changes = now != there
        note = PostedNote(was=state(inbox.file), open=changes, answered=answered)
        write_manifest(inbox.note, note)
        if changes:
            sweep_beside(inbox.file)
            write_posted(inbox.file, now)
    return receipt


def _answered(inbox: Inbox) -> list[ReceiptNote]:
    """Return what was answered, without a request whose rows have never come to the file."""
    note = read_manifest(inbox.note, PostedNote) or PostedNote()
    cut_off = note.open and note.was == state(inbox.file)
    return note.answered[:-1] if cut_off else note.answered


def _repeated(before: ReceiptNote, asked: str) -> Receipt:
    if before.asked != asked:
        raise InputError(
            "key: found that of an earlier request with other rows; expected a new one for each"
            " request; make one, such as a UUID"
        )
    return Receipt(before.accepted, before.unchanged, before.replaced, repeated=True)


def _receipt(
    rows: Sequence[tuple[str, str | None]],
    said: dict[str, str | None],
    there: dict[str, PostedLabel],
) -> Receipt:
    old = {key: there[key].label if key in there else None for key in said}
    replaced = [
        ReplacedNote(id=key, before=before, label=said[key])
        for key, before in old.items()
        if before is not None and before != said[key]
    ]
    unchanged = sum(old[key] == label for key, label in said.items())
    return Receipt(len(rows), unchanged, replaced)


def _applied(
    there: dict[str, PostedLabel], said: dict[str, str | None], who: str, time: str
) -> dict[str, PostedLabel]:
    now = dict(there)
    for key, label in said.items():
        if label is None:
            now.pop(key, None)
        elif key not in there or there[key].label != label:
            now[key] = PostedLabel(key, label, who, time)
    return now


def _newest(answered: list[ReceiptNote]) -> list[ReceiptNote]:
    """Return the newest of `answered`, as many as are remembered; the last in any case."""
    kept: list[ReceiptNote] = []
    replaced = 0
    for each in reversed(answered[-KEYS:]):
        replaced += len(each.replaced)
        if kept and replaced > REPLACED:
            break
        kept.append(each)
    return kept[::-1]
