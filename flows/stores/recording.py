"""Versions of tables in a store that a record names: held by tags there, brought back by them."""

from __future__ import annotations

from flows.state.trust import ask
from flows.stores import settling
from tasks.core.remote import driving, handover
from tasks.core.remote.manifests import TablePointer
from tasks.core.remote.objects import Objects
from tasks.core.settings.params import Params
from tasks.core.workspace.files import digest
from tasks.core.workspace.manifest import object_of, read_manifest, write_manifest
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.state_manifests import HeldNote


def hold(paths: Paths) -> None:
    """Have each version that a pointer means kept by a tag, which every clean-up spares.

    Only of pointers that have changed since: a store is asked for nothing else.
    """
    note = read_manifest(paths.held, HeldNote) or HeldNote()
    now = {}
    for table, found in settling.pointers(paths).items():
        pointer = found if found.begun is None else driving.settle(table, found)
        name = paths.inside(table)
        now[name] = digest(object_of(pointer))
        if note.held.get(name) != now[name]:
            handover.hold(pointer)
    if now != note.held:
        write_manifest(paths.held, HeldNote(held=now))


def take_over(paths: Paths, params: Params) -> None:
    """Make what the pointers mean the latest of each table, after a checkout: no bytes move.

    Tables that this version has not, readers see no more. It may be done again at any time.
    """
    if params.store.url is None:
        return
    ask(paths, "store")  # where the pointers lead that have just come
    settling.check(paths, params)
    there = settling.pointers(paths)
    for table in there:
        handover.take_over(table)
    options = settling.options_of(params.store)
    urls = {pointer.url for pointer in there.values()}
    store = Objects(params.store.url, options)
    for folder in (paths.corpus, paths.vectors, paths.views):
        for name in store.tables(folder.name):
            url = f"{params.store.url}/{folder.name}/{name}"
            if name.endswith(settling.TABLE) and url not in urls:
                handover.let_go(TablePointer(url=url, options=options))
    for note in (paths.held, paths.published):  # of what this workspace had noted before
        note.unlink(missing_ok=True)
