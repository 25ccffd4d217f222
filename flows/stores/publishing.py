"""What readers elsewhere need beside the tables: small files in the store, and one that names them.

Files are called by their content, and the snapshot that names them is put last: a reader finds the
old state or the new one, whole, however many files they are.
"""

from __future__ import annotations

import re
import sys
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
from tasks.core.text.characters import visible
from tasks.core.transforms.card import CARD, TENSORS
from tasks.core.workspace.files import Hashes, content_hash, digest, write_text
from tasks.core.workspace.manifest import manifest_bytes, read_manifest, write_manifest
from tasks.core.workspace.manifests import ViewStamp
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.state_manifests import PublishedNote

SNAPSHOT = "readers/snapshot.json"
FILES = "readers/files"
NAME, _HASH = r"[a-z0-9][a-z0-9_-]{0,62}", r"[0-9A-Za-z_-]{1,64}"
_FILE = r"[^./\\\x00-\x1f][^/\\\x00-\x1f]{0,254}"
KNOWN = re.compile(
    r"params\.yaml|data/(corpus/ingest\.json|vectors/embed\.json|metrics/corpus\.json"
    rf"|vectors/features-{_HASH}\.safetensors|views/{NAME}\.json|metrics/scores/{NAME}\.json"
    rf"|transforms/{NAME}/{re.escape(CARD)}"
    rf"|views/{NAME}\.transforms/{_HASH}/({re.escape(CARD)}|{re.escape(TENSORS)})"
    rf"|labels/{_FILE}|labels/{NAME}/{_FILE})"
)
"""What readers take: any other file would have them refuse all."""


def publish(paths: Paths, params: Params, *, anew: bool = False) -> None:
    """Let readers elsewhere see the state that was just recorded; only what is new is sent.

    anew: all of it is, whatever the store holds. The caller holds the write lock.
    """
    if params.store.url is None:
        return
    place = digest(params.store.url, params.store.endpoint)
    known = read_manifest(paths.published, PublishedNote) or PublishedNote()
    files = _files(paths, params)
    hashes = Hashes(paths.hashes).all(files.values())
    snapshot = Published(files=dict(zip(files, hashes, strict=True)), tables=_tables(paths))
    write_manifest(paths.snapshot, snapshot)
    seal = content_hash(manifest_bytes(snapshot))
    if not anew and (known.place, known.snapshot) == (place, seal):
        return
    store = Objects(params.store.url, settling.options_of(params.store))
    there = set() if anew else {name.rpartition("/")[2] for name in store.files(FILES)}
    for name, hashed in snapshot.files.items():
        if hashed not in there:
            store.put(f"{FILES}/{hashed}", files[name])
            there.add(hashed)
    store.put(SNAPSHOT, paths.snapshot)
    write_manifest(paths.published, PublishedNote(place=place, snapshot=seal))


def sweep(paths: Paths, params: Params) -> None:
    """Remove the small files that the snapshot does not name any more.

    A reader that is just fetching one begins again by the new snapshot.
    """
    snapshot = read_manifest(paths.snapshot, Published)
    if params.store.url is None or snapshot is None:
        return
    store, named = Objects(params.store.url, settling.options_of(params.store)), snapshot.files
    for name in store.files(FILES):
        hashed = name.rpartition("/")[2]
        if hashed not in named.values():
            store.remove(f"{FILES}/{hashed}")


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
    left = [name for name in named if not KNOWN.fullmatch(name)]
    for name in left:
        print(
            f"not shown to readers elsewhere: {visible(name)}: its name is beyond what they take;"
            " rename it",
            file=sys.stderr,
        )
    shown_files = {name: file for name, file in named.items() if name not in left}
    return {**shown_files, paths.inside(paths.params): paths.shown_params}


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
