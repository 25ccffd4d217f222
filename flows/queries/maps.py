"""The map of a view: what it is of, where it is kept, and who is laid out first."""

from __future__ import annotations

from pathlib import Path

from flows.queries.labelled import labelled
from flows.state.trust import keeping
from tasks.core.atlas import kept
from tasks.core.atlas.coordinates import Source, coordinates
from tasks.core.atlas.kept import ViewMap
from tasks.core.atlas.making import Wanted, make
from tasks.core.encoding import base_table
from tasks.core.settings.params import Params
from tasks.core.store import tables
from tasks.core.views import publishing
from tasks.core.views.lazy_search import LAZILY
from tasks.core.workspace.errors import InputError, UnmadeError
from tasks.core.workspace.instruction_name import BASE
from tasks.core.workspace.paths import Paths


def place_of_maps(paths: Paths, name: str) -> Path | None:
    """Return the folder that keeps the maps of a view or of the base; None where none may be."""
    place = keeping(paths)
    return None if place is None else place / paths.maps(name).relative_to(paths.state)


def source(paths: Paths, name: str, version: int | None = None) -> Source:
    """Return what a map of view `name`, or of the base, is of: by default as readers see it now.

    UnmadeError where there are no rows yet.
    """
    if name == BASE:
        table = paths.base_table
        known = tables.version(table) if version is None else version
        return Source(table, known, base_table.note_of(table).fingerprint)
    table, of_base = paths.view_table(name), None
    live = tables.live_version(table) if version is None else version
    if live is None:
        raise UnmadeError(f"view {name!r}: there is no row of it yet; run 'refract run'")
    if live >= LAZILY:
        of_base, live = divmod(live, LAZILY)
    note = publishing.note_of(table, live)
    if not note.lazy:
        return Source(table, live, note.transform)
    known = tables.version(paths.base_table) if of_base is None else of_base
    kept_there = paths.kept_transform(name, note.transform)
    return Source(paths.base_table, known, note.transform, kept_there, note.storage)


def wanted(
    paths: Paths, params: Params, name: str, folders: dict[str, Path | None], version: int | None
) -> list[Wanted]:
    """Return what to make for a map of view `name`: that of the base vectors first.

    folders: where the maps of a view and of the base are kept.
    """
    base = Wanted(source(paths, BASE, version if name == BASE else None), folders[BASE])
    if name == BASE:
        return [base]
    folder = folders[name]
    first = () if folder is not None and kept.any_in(folder) else _labelled(paths, params, name)
    return [base, Wanted(source(paths, name, version), folder, first)]


def maps_of(paths: Paths, params: Params, name: str) -> tuple[ViewMap, ViewMap]:
    """Return the maps of the base and of a view as readers see them now: kept, or made here."""
    folders = {each: place_of_maps(paths, each) for each in (BASE, name)}
    made = make(wanted(paths, params, name, folders, None))
    return made[0], made[-1]


def whole_map(paths: Paths, params: Params, name: str) -> ViewMap:
    """Return the map of a view or of the base with every row, however many there are."""
    found = maps_of(paths, params, name)[1]
    if len(found) == found.rows.total:
        return found
    return coordinates(source(paths, name), None, towards=found, most=None)


def _labelled(paths: Paths, params: Params, name: str) -> tuple[str, ...]:
    """Return the ids of the texts that people have labelled; none where nobody can read them."""
    try:
        return tuple(labelled(paths, params, name).label_of)
    except InputError:  # the map has its places without them
        return ()
