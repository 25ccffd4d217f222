"""Which libraries a command will load that take seconds: time in which something else can start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tasks.core.workspace.one_look import one_look

if TYPE_CHECKING:
    from tasks.core.settings.params import Params
    from tasks.core.workspace.paths import Paths

LEARNS = ("torch", "sklearn.cluster", "sklearn.metrics")  # these start no thread
ENCODES = ("torch", "sentence_transformers")
TABLES = ("polars", "lance")
APPLIES = ("torch", *TABLES)
FITS = (*LEARNS, *TABLES)
RUNS = (f"{__package__.rpartition('.')[0]}.run",)  # the flow, whatever the package is called


def needed(paths: Paths, params: Params) -> tuple[str, ...]:
    """Return the libraries that a run will load, as far as what is stale tells.

    Of a corpus that changed, most is embedded and fitted as it was, and a few rows need no torch.
    """
    from flows.state import staleness
    from flows.state.wholeness import unfinished

    if unfinished(paths):
        return ()
    if not paths.stamp("embed").is_file():
        return (*_encodes(params), *FITS, *RUNS)
    if _fits(paths, params, []):
        return (*FITS, *RUNS)
    if staleness.corpus_is_stale(paths, params) or staleness.embed_verdict(paths, params).stale:
        return (*TABLES, *RUNS)
    return (*to_apply(paths, params, []), *RUNS)


def to_embed(paths: Paths, params: Params, *, rebuild: bool) -> tuple[str, ...]:
    """Return the libraries that an embedding will load: of a change, none that encodes much."""
    return _encodes(params) if rebuild or not paths.stamp("embed").is_file() else TABLES


def _encodes(params: Params) -> tuple[str, ...]:
    """Return the libraries of the encoder: numpy computes a static one."""
    from tasks.core.query.encoder import static_of

    return TABLES if params.embed.precision != "bfloat16" and static_of(params.embed) else ENCODES


def to_fit(paths: Paths, params: Params, names: Sequence[str], *, force: bool) -> tuple[str, ...]:
    """Return the libraries that a fit will load: where the base alone changed, most are kept."""
    return FITS if force or _fits(paths, params, names) else TABLES


@one_look()
def to_apply(paths: Paths, params: Params, names: Sequence[str]) -> tuple[str, ...]:
    """Return the libraries that writing views will load: a few rows need no torch."""
    from flows.state import staleness
    from flows.state.label_changes import NEW_BASE

    wanted = staleness.wanted_views(paths, names)
    found = [staleness.view_verdict(paths, params, name) for name in wanted]
    if any(verdict.stale and verdict.reason != NEW_BASE for verdict in found):
        return APPLIES
    return TABLES if any(verdict.stale for verdict in found) else ()


@one_look()
def _fits(paths: Paths, params: Params, names: Sequence[str]) -> bool:
    """Tell whether anything but the base vectors asks for a fit."""
    from flows.state import staleness
    from flows.state.label_changes import NEW_BASE

    files = staleness.wanted_labels(paths, names)
    found = [
        staleness.fit_verdict(paths, name, staleness.fit_fingerprints(paths, params, name, file))
        for name, file in files.items()
    ]
    return any(verdict.stale and verdict.reason != NEW_BASE for verdict in found)
