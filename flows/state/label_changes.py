"""Whether an instruction's labels have changed: their content, held against a transform's card.

`serving.watch_labels` only says when to look.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from tasks.core.labels.corpus_column import content
from tasks.core.labels.files import LabelFile, Part, fingerprint
from tasks.core.workspace.files import content_hash
from tasks.core.workspace.manifests import Card
from tasks.core.workspace.one_look import hashes_in
from tasks.core.workspace.paths import Paths

NEW_BASE = "the base vectors changed"
_CHANGES = {
    "labels": "its labels changed",
    "params": "its settings changed",
    "encoder": "another encoder",
    "base": NEW_BASE,
}


def what_changed(card: Card, now: Mapping[str, str]) -> str | None:
    """Return what a transform was made from and is no longer so, labels first; None if nothing.

    now: a fingerprint of each as it is, see `staleness.fit_fingerprints`.
    """
    gone = (said for key, said in _CHANGES.items() if card.made_from.get(key) != now[key])
    return next(gone, None)


def labels_fingerprint(paths: Paths, file: LabelFile) -> str:
    """Return a fingerprint of the content of all that an instruction's label file stands for."""
    hashes = hashes_in(paths.hashes)
    found = [
        hashes.of_part(part.changing, part.column, partial(_hash, part))
        if part.column
        else hashes.of(part.path)
        for part in file.parts
    ]
    hashes.save()
    return fingerprint(found)


def _hash(part: Part) -> str:
    return content_hash(content(part))
