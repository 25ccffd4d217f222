"""Whether an instruction's labels have changed: by a fingerprint of their content.

`staleness` compares it with the one that the transform's card notes; `serving.watch_labels` only
says when to look.
"""

from __future__ import annotations

from functools import partial

from tasks.core.labels.corpus_column import content
from tasks.core.labels.files import LabelFile, Part, fingerprint
from tasks.core.workspace.files import Hashes, content_hash
from tasks.core.workspace.paths import Paths


def labels_fingerprint(paths: Paths, file: LabelFile) -> str:
    """Return a fingerprint of the content of all that an instruction's label file stands for."""
    hashes = Hashes(paths.hashes)
    found = [
        hashes.of_part(part.path, part.column, partial(_hash, part))
        if part.column
        else hashes.of(part.path)
        for part in file.parts
    ]
    hashes.save()
    return fingerprint(found)


def _hash(part: Part) -> str:
    return content_hash(content(part))
