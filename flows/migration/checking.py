"""Whether the next encoder can be brought, before hours are spent on it."""

from __future__ import annotations

from flows.migration.next_paths import NextPaths
from flows.migration.turning import check_turnable
from flows.migration.upcoming import described, following
from flows.state.label_sources import label_sources
from flows.state.staleness import fitted
from tasks.core.encoding.same_encoder import check_encoder
from tasks.core.encoding.vector_space import fingerprint
from tasks.core.settings.params import Params
from tasks.core.settings.table_sections import EmbedSettings
from tasks.core.store import layout
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths

CALL_OFF = "'refract embed --call-off' gives it up"


def check(paths: Paths, params: Params) -> EmbedSettings:
    """Return the settings of the next encoder; InputError where it cannot be brought."""
    settings = following(params)
    if params.store.url is not None:
        raise InputError(
            "embed --migrate: found tables in a store (store.url); expected tables on this disk:"
            " another encoder comes into a store by 'refract embed --rebuild' alone"
        )
    if not paths.stamp("embed").is_file() or not layout.exists(paths.base_table):
        raise InputError(
            "data/vectors: no base vectors yet, so that no encoder is to be followed; expected"
            " some; set embed.next to null and embed to what it says, and run 'refract run'"
        )
    if _made_by(settings) == _made_by(params.embed):
        raise InputError(
            "params.yaml: embed.next: found the encoder that is at work; expected another; set"
            " embed.next to null, or to another one"
        )
    begun = NextPaths(paths.root).base_table
    try:
        check_encoder(begun, settings)
    except InputError as error:
        raise InputError(
            f"{paths.inside(begun)}: begun by another encoder, or otherwise stored, than embed.next"
            f" says now ({described(params.embed.next)}); set it back, or begin anew: {CALL_OFF}"
        ) from error
    _refuse_unlabelled(paths)
    check_turnable(paths, params.embed.next or {})
    return settings


def _made_by(settings: EmbedSettings) -> tuple[str, str]:
    return fingerprint(settings), settings.storage


def _refuse_unlabelled(paths: Paths) -> None:
    """Refuse where a view has no labels any more, by which it could be made anew."""
    files = label_sources(paths)
    gone = [name for name in fitted(paths) if name not in {*files, *files.errors}]
    if gone:
        raise InputError(
            f"embed --migrate: found no labels any more of the views {', '.join(gone)}; expected"
            f" some, since another encoder takes another transform; restore data/labels/{gone[0]},"
            " or let the views go: materialise.retire: true and 'refract materialise'"
        )
