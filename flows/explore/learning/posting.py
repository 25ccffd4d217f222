"""Posted labels, and names of labels, into their files: what may be written, what is answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flows.state.label_sources import label_sources
from flows.state.trust import ask, ask_recording
from tasks.core.encoding import base_table
from tasks.core.labels.inbox.checking import PostedRow, checked
from tasks.core.labels.inbox.posting import Inbox, Receipt, post
from tasks.core.labels.taxonomy import Label, parsed, read_taxonomy, render_taxonomy
from tasks.core.settings.params import Params
from tasks.core.store.layout import exists
from tasks.core.text.same_text import TextKeys
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import write_text
from tasks.core.workspace.instruction_name import check_name
from tasks.core.workspace.paths import Paths

LONGEST_KEY = 200  # characters; a UUID has 36


@dataclass(frozen=True)
class Posted:
    """What became of posted labels, and the label file that they lie in, below the root."""

    receipt: Receipt
    file: str


def post_labels(
    paths: Paths,
    params: Params,
    name: str,
    key: str,
    annotator: str,
    rows: Sequence[PostedRow],
    keys: TextKeys | None = None,
) -> Posted:
    """Take in `rows` for instruction `name`; they are on disk when this returns.

    keys: looks up the texts of the base table. InputError where anything speaks against it: then
    nothing is written.
    """
    check_name(name)
    if not 1 <= len(key) <= LONGEST_KEY or not key.isprintable():
        raise InputError(
            f"key: found {len(key):,} characters; expected 1 to {LONGEST_KEY} that can be printed;"
            " make one for each request, such as a UUID"
        )
    inbox = inbox_of(paths, name, annotator)
    _check_place(paths, params, name, inbox.file)
    taken = checked(rows, keys or base_table.keys(paths.base_table), params.fit.separator)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Posted(post(inbox, key, taken, now), paths.inside(inbox.file))


def name_labels(paths: Paths, params: Params, name: str, said: Sequence[str]) -> list[Label]:
    """Write what the labels of a new instruction are called, as `refract fit --classes` does.

    said: one each, behind a colon what it is for. InputError, and nothing is written, where these
    are none, or the instruction has other names or labels already.
    """
    file, found = paths.classes(check_name(name)), parsed(said, "classes")
    _check_place(paths, params, name, file)
    if name not in label_sources(paths):
        write_text(file, render_taxonomy(found))
    elif not file.is_file() or read_taxonomy(file) != found:
        raise InputError(
            f"instruction {name}: found labels or names of them already; expected a new one; write"
            f" the names of its labels to {paths.inside(file)}, or begin another"
        )
    return found


def inbox_of(paths: Paths, name: str, annotator: str) -> Inbox:
    """Return where the labels of an annotator go; InputError for a name that none may have."""
    return Inbox(
        file=paths.posted_labels(name, annotator),
        note=paths.posted(name, annotator),
        lock=paths.posting_lock,
        annotator=annotator,
    )


def _check_place(paths: Paths, params: Params, name: str, file: Path) -> None:
    """Refuse to write where there are no vectors yet, halfway in a checkout, or through a link.

    And where a workspace from elsewhere asks for what nobody has agreed to.
    """
    ask(paths, "sources", "model", "engine")
    ask_recording(paths, params)
    if not exists(paths.base_table):
        raise InputError("data/vectors: no base vectors yet; expected some; run 'refract run'")
    if paths.unfinished_checkout.is_file():
        raise InputError(
            f"{paths.inside(paths.unfinished_checkout)}: found a checkout under way, or stopped"
            " halfway; expected a whole version; wait, or run 'refract run', which finishes it"
        )
    for place in (file.parent, file):
        if place != paths.labels and place.is_symlink():
            raise InputError(
                f"{place.relative_to(paths.root)}: found a link; expected a folder and file of the"
                " workspace's own; nothing was written through it, remove it"
            )
    if file.parent.exists() and not file.parent.is_dir():
        raise InputError(
            f"{paths.inside(file.parent)}: found a file; expected a folder of label files; move it"
        )
    wrong = label_sources(paths).errors.get(name)
    if wrong is not None:
        raise wrong
