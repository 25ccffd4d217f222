"""Where a file that somebody asks for may not lie: among what Refract reads or makes itself."""

from __future__ import annotations

import os
from pathlib import Path

from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths


def check_apart(paths: Paths, file: Path, instead: str) -> None:
    """Refuse a place that Refract reads or keeps; instead: what to do, for the message.

    What a view guesses would be labels or documents there, and DVC would take any file for an
    output of a verb. Evaluations have a folder of their own among the scores.
    """
    read = (paths.raw, paths.labels)
    made = (paths.corpus, paths.vectors, paths.transforms, paths.views)
    noted = (paths.metrics, paths.quarantine, paths.state)
    place = Path(os.path.realpath(file))
    if place.is_relative_to(os.path.realpath(paths.evaluations)):
        return
    for folder in (*read, *made, *noted):
        if place.is_relative_to(os.path.realpath(folder)):
            does = "reads" if folder in read else "keeps"
            raise InputError(
                f"{file}: found a place in {folder.relative_to(paths.root)}, which Refract {does};"
                f" expected one of your own; {instead}"
            )
