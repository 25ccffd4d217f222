"""Where the tables are to lie, by the settings, and where they do lie."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flows.state.trust import ask
from tasks.core.remote import driving, handover
from tasks.core.remote.manifests import StoreOptions, TablePointer
from tasks.core.remote.objects import Objects
from tasks.core.remote.pointers import pointer_at
from tasks.core.settings.params import Params
from tasks.core.settings.store_section import StoreSettings
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifest import write_manifest
from tasks.core.workspace.paths import Paths

TABLE = ".lance"


def options_of(settings: StoreSettings) -> StoreOptions:
    """Return how the store is reached, as a pointer notes it: what is not the default."""
    return StoreOptions.model_validate(settings.model_dump(exclude={"url"}, exclude_defaults=True))


def url_of(paths: Paths, settings: StoreSettings, table: Path) -> str:
    """Return where in the store the table of this path lies."""
    return f"{settings.url}/{table.relative_to(paths.data).as_posix()}"


def tables(paths: Paths) -> Iterator[Path]:
    """Yield the paths of all tables there are, in folders or behind pointers."""
    for folder in (paths.corpus, paths.vectors, paths.views):
        yield from sorted(folder.glob(f"*{TABLE}"))


def pointers(paths: Paths) -> dict[Path, TablePointer]:
    """Return the pointers of the workspace by path."""
    found = {table: pointer_at(table) for table in tables(paths)}
    return {table: pointer for table, pointer in found.items() if pointer is not None}


def settle(paths: Paths, params: Params, table: Path) -> None:
    """Make the pointer of a table that is to lie in the store; the caller is the only writer.

    What a kill has left between a commit and its pointer is finished. InputError where the table
    lies elsewhere than the settings say, or another workspace has made one there.
    """
    _check(paths, params.store, table)
    if params.store.url is None:
        return
    ask(paths, "store")
    pointer = pointer_at(table)
    if pointer is None:
        url, options = url_of(paths, params.store, table), options_of(params.store)
        table.parent.mkdir(parents=True, exist_ok=True)
        begin(table, TablePointer(url=url, options=options))
        return
    options = options_of(params.store)
    if pointer.options != options:
        pointer = pointer.changed(options=options)
        write_manifest(table, pointer)
    driving.settle(table, pointer)


def begin(table: Path, pointer: TablePointer) -> None:
    """Write the first pointer to a table, after one that was let go where there is such a one."""
    folder, _, name = pointer.url.rpartition("/")
    top, _, kind = folder.rpartition("/")
    there = name in Objects(top, pointer.options).tables(kind)
    version = handover.let_go_at(pointer) if there else None
    if there and version is None:
        raise InputError(
            f"{pointer.url}: found a table that this workspace does not know; expected none; take"
            " over what another has recorded with 'refract checkout REVISION', or give this"
            " workspace a store.url of its own"
        )
    write_manifest(table, pointer)
    if version is not None:
        handover.begin_again(table, pointer, version)


def check(paths: Paths, params: Params) -> None:
    """Refuse tables that lie elsewhere than the settings say: they are not moved."""
    for table in tables(paths):
        _check(paths, params.store, table)


def _check(paths: Paths, settings: StoreSettings, table: Path) -> None:
    pointer = pointer_at(table)
    wanted = None if settings.url is None else url_of(paths, settings, table)
    if not table.exists() or (None if pointer is None else pointer.url) == wanted:
        return
    lies = "a table on this disk" if pointer is None else f"a pointer to {pointer.url}"
    expected = "one on this disk" if wanted is None else f"a pointer to {wanted}"
    raise InputError(
        f"{paths.inside(table)}: found {lies}; expected {expected}, as store.url in params.yaml has"
        " it, and tables are not moved: set store.url back, or remove data/corpus, data/vectors and"
        " data/views and run 'refract run', which makes them there and encodes every text anew"
    )


def let_go(table: Path) -> None:
    """Tell readers and later tables of this name that no pointer leads to the table any more."""
    pointer = pointer_at(table)
    if pointer is not None and pointer.version is not None:
        handover.let_go(driving.settle(table, pointer))
