"""Which libraries a command will load that take seconds: time in which something else can start."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tasks.core.settings.params import Params
    from tasks.core.workspace.paths import Paths

LEARNS = ("torch", "sklearn.cluster", "sklearn.metrics")  # these start no thread
FITS = (*LEARNS, "polars", "lance")
ENCODES = ("torch", "sentence_transformers")
APPLIES = ("torch", "polars", "lance")
RUNS = ("flows.run",)


def needed(paths: Paths, params: Params) -> tuple[str, ...]:
    """Return the libraries that a run will load, as far as what is stale tells.

    Of a corpus that changed, most is embedded and fitted as it was.
    """
    from flows.state import staleness
    from flows.state.wholeness import unfinished

    if unfinished(paths):
        return ()
    changed = staleness.corpus_is_stale(paths, params)
    vectors = staleness.embed_verdict(paths, params)
    if not paths.stamp("embed").is_file():
        return (*ENCODES, *FITS, *RUNS)
    if staleness.any_fit(paths, params, []):
        return (*FITS, *RUNS)
    if changed or vectors.stale or staleness.any_view(paths, params, []):
        return (*APPLIES, *RUNS)
    return RUNS
