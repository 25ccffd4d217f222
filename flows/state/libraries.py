"""Which libraries a command will load that take seconds: time in which something else can start."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tasks.core.settings.params import Params
    from tasks.core.workspace.paths import Paths

LEARNS = ("torch", "sklearn.cluster", "sklearn.metrics")  # these start no thread
ENCODES = ("torch", "sentence_transformers")
TABLES = ("polars", "lance")
APPLIES = ("torch", *TABLES)
FITS = (*LEARNS, *TABLES)
RUNS = ("flows.run",)


def needed(paths: Paths, params: Params) -> tuple[str, ...]:
    """Return the libraries that a run will load, as far as what is stale tells.

    Of a corpus that changed, most is embedded and fitted as it was, and a few rows need no torch.
    """
    from flows.state import staleness
    from flows.state.wholeness import unfinished

    if unfinished(paths):
        return ()
    if not paths.stamp("embed").is_file():
        return (*ENCODES, *FITS, *RUNS)
    if staleness.any_fit(paths, params, []):
        return (*FITS, *RUNS)
    if staleness.corpus_is_stale(paths, params) or staleness.embed_verdict(paths, params).stale:
        return (*TABLES, *RUNS)
    return (*APPLIES, *RUNS) if staleness.any_view(paths, params, []) else RUNS
