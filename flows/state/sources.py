"""The documents that params.yaml names."""

from __future__ import annotations

from flows.state.trust import ask
from tasks.core.documents.sources import Sources, survey
from tasks.core.settings.params import Params
from tasks.core.workspace.paths import Paths


def documents(paths: Paths, params: Params) -> Sources:
    """Return the files of the configured sources, and what is passed over there.

    InputError where there are none, or where others have named files outside of the workspace.
    """
    ask(paths, "sources")
    return survey(params.ingest.sources, paths.root)
