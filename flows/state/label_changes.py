"""Whether an instruction's labels have changed: their content, held against a transform's card.

`serving.watch_labels` only says when to look.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from flows.state.label_sources import aspect_files
from tasks.core.labels.corpus_column import content
from tasks.core.labels.files import LabelFile, Part, fingerprint
from tasks.core.settings.params import Params
from tasks.core.workspace.files import content_hash, digest
from tasks.core.workspace.manifests import Card
from tasks.core.workspace.one_look import hashes_in
from tasks.core.workspace.paths import Paths

NEW_BASE = "the base vectors changed"
LABELS = _OWN, _ERASED = "labels", "erased"  # the second of a view that is without aspects
_CHANGES = {
    _OWN: "its labels changed",
    _ERASED: "what it is without changed",
    "params": "its settings changed",
    "encoder": "another encoder",
    "base": NEW_BASE,
}


def what_changed(card: Card, now: Mapping[str, str]) -> str | None:
    """Return what a transform was made from and is no longer so, labels first; None if nothing.

    now: a fingerprint of each as it is, see `staleness.fit_fingerprints`.
    """
    gone = (said for key, said in _CHANGES.items() if card.made_from.get(key) != now.get(key))
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


def label_fingerprints(paths: Paths, params: Params, name: str, file: LabelFile) -> dict[str, str]:
    """Return a fingerprint of an instruction's labels, and of those of what it is without."""
    own = {_OWN: labels_fingerprint(paths, file)}
    without = aspect_files(paths, name, params.without(name))
    if not without:
        return own
    found = [
        (aspect, labels_fingerprint(paths, each) if isinstance(each, LabelFile) else str(each))
        for aspect, each in without.items()
    ]
    return own | {_ERASED: digest(found)}


def _hash(part: Part) -> str:
    return content_hash(content(part))
