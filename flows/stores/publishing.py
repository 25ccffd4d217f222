"""What readers elsewhere need beside the tables: small files in the store, and one that names them.

Files are called by their content, and the snapshot that names them is put last: a reader finds the
old state or the new one, whole, however many files they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flows.state.label_sources import label_sources
from flows.state.live_transform import live_transform
from flows.state.staleness import fitted
from flows.state.wholeness import is_view
from flows.stores import settling
from tasks.core.remote.manifests import Published, PublishedTable
from tasks.core.remote.objects import Objects
from tasks.core.settings.params import Params, render_params
from tasks.core.transforms.card import CARD, TENSORS
from tasks.core.workspace.files import Hashes, content_hash, write_text
from tasks.core.workspace.manifest import manifest_bytes, read_manifest, write_manifest
from tasks.core.workspace.manifests import ViewStamp
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.state_manifests import PublishedNote

SNAPSHOT = "readers/snapshot.json"
FILES = "readers/files"


def publish(paths: Paths, params: Params) -> None:
    """Let readers elsewhere see the state that was just recorded; only what is new is sent.

    The caller holds the write lock.
    """
    if params.store.url is None:
        return
    url = params.store.url
    known = read_manifest(paths.published, PublishedNote) or PublishedNote()
    known = known if known.url == url else PublishedNote(url=url)
    files = _files(paths, params)
    hashes = Hashes(paths.hashes).all(files.values())
    snapshot = Published(files=dict(zip(files, hashes, strict=True)), tables=_tables(paths))
    write_manifest(paths.snapshot, snapshot)
    seal = content_hash(manifest_bytes(snapshot))
    if seal == known.snapshot:
        return
    store = Objects(url, settling.options_of(params.store))
    there = set(known.files)
    for name, hashed in snapshot.files.items():
        if hashed not in there:
            store.put(f"{FILES}/{hashed}", files[name])
            there.add(hashed)
    store.put(SNAPSHOT, paths.snapshot)
    write_manifest(paths.published, known.changed(snapshot=seal, files=sorted(there)))


def sweep(paths: Paths, params: Params) -> None:
    """Remove the small files that the snapshot does not name any more.

    A reader that is just fetching one begins again by the new snapshot.
    """
    note = read_manifest(paths.published, PublishedNote)
    snapshot = read_manifest(paths.snapshot, Published)
    if params.store.url is None or note is None or snapshot is None:
        return
    store, named = Objects(params.store.url, settling.options_of(params.store)), snapshot.files
    for name in store.files(FILES):
        hashed = name.rpartition("/")[2]
        if hashed not in named.values():
            store.remove(f"{FILES}/{hashed}")
    write_manifest(paths.published, note.changed(files=sorted(set(named.values()))))


def _tables(paths: Paths) -> dict[str, PublishedTable]:
    found = settling.pointers(paths).items()
    return {
        paths.inside(table): PublishedTable(
            version=pointer.version, live=pointer.live, rows=pointer.rows, digest=pointer.digest
        )
        for table, pointer in found
    }


def _files(paths: Paths, params: Params) -> dict[str, Path]:
    """Return the small files by the name that they have below the root of a workspace."""
    asked = ("instructions", "embed", "fit", "materialise")
    shown = Params(**{name: getattr(params, name) for name in asked})
    write_text(paths.shown_params, render_params(shown))
    named = {paths.inside(file): file for file in _present(paths)}
    return {**named, paths.inside(paths.params): paths.shown_params}


def _present(paths: Paths) -> Iterator[Path]:
    beside = [paths.stamp("ingest"), paths.stamp("embed"), paths.corpus_figures]
    yield from (file for file in beside if file.is_file())
    yield from sorted(paths.vectors.glob(paths.reduction("*").name))
    labels = label_sources(paths)
    for name in fitted(paths):
        stamp = read_manifest(paths.view_stamp(name), ViewStamp)
        if stamp is None or not is_view(paths, name, stamp):
            continue
        kept = live_transform(paths, name)
        yield from (kept / TENSORS, kept / CARD)
        yield from (paths.transform(name) / CARD, paths.view_stamp(name))
        if paths.metric(name).is_file():
            yield paths.metric(name)
        if name in labels:
            yield from (file for file in labels[name].paths if paths.labels in file.parents)
