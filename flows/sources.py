"""The documents that params.yaml names."""

from __future__ import annotations

from pathlib import Path

from flows.trust import ask
from tasks.core.documents import expand
from tasks.core.params import Params
from tasks.core.paths import Paths


def documents(paths: Paths, params: Params) -> list[Path]:
    """Return the files of the configured sources.

    InputError where there are none, or where others have named files outside of the workspace.
    """
    ask(paths, "sources")
    return expand(params.ingest.sources, paths.root)
