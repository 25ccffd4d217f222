"""A workspace in an object store, seen from elsewhere: its small files mirrored, and pointers.

What comes from a store is trusted no more than a workspace that was cloned: names are those that a
workspace has, pointers lead nowhere but into the store that was named, and models are asked about.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from flows.state.trust import agree, reaches
from flows.stores.publishing import FILES, KNOWN, NAME, SNAPSHOT
from tasks.core.remote.manifests import Published, StoreOptions, TablePointer
from tasks.core.remote.objects import Objects
from tasks.core.transforms.card import TENSORS
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import Hashes, content_hash, digest
from tasks.core.workspace.manifest import read_manifest, write_manifest
from tasks.core.workspace.network import STORE_URL
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.user_state import SCHEME, user_cache

_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_TABLES = re.compile(rf"data/(corpus|vectors|views)/{NAME}\.lance")


def mirror(url: str) -> Path:
    """Return a folder that holds what a reader needs of the workspace in the store at `url`.

    It is of this user, and brought up to date each time. InputError where there is none, or the
    store does not answer.
    """
    url = url.rstrip("/")
    if not re.fullmatch(STORE_URL, url):
        raise InputError(
            f"{_shown(url)}: found no place in a store; expected s3://BUCKET/FOLDER, as store.url"
            " has it where the workspace is written; keys belong into the environment"
        )
    options = _options()
    paths = Paths(user_cache() / digest(url, options.endpoint))
    for folder in (paths.root, paths.state):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds labels
    with FileLock(paths.writer_lock):
        store = Objects(url, options)
        if not _bring(paths, store, url, options):
            _bring(paths, store, url, options, last=True)
        agree(paths, reaches(paths, ("store",)))  # it was typed
    return paths.root


def _shown(url: str) -> str:
    return f"{SCHEME}…" if "@" in url or "?" in url else url[:80]


def _options() -> StoreOptions:
    found = next(filter(None, map(os.environ.get, _ENDPOINTS)), None)
    try:
        return StoreOptions() if found is None else StoreOptions(endpoint=found)
    except ValueError:
        raise InputError(
            f"environment variable {'/'.join(_ENDPOINTS)}: found no address of a store; expected"
            " http://HOST:PORT or https://HOST, without a name and a key in it; correct it"
        ) from None


def _bring(
    paths: Paths, store: Objects, url: str, options: StoreOptions, *, last: bool = False
) -> bool:
    """Lay out the newest snapshot; False where a newer one has come meanwhile."""
    if not store.has(SNAPSHOT):
        raise InputError(
            f"{url}: found no workspace there; expected one that 'refract run' has recorded with"
            " this store.url; check the name, and the endpoint in AWS_ENDPOINT_URL"
        )
    store.get(SNAPSHOT, paths.snapshot)
    snapshot = _checked(url, read_manifest(paths.snapshot, Published))
    hashes = Hashes(paths.hashes)
    files = sorted(snapshot.files.items(), key=lambda each: not each[0].endswith(TENSORS))
    for name, hashed in files:
        file = paths.root / name
        if file.is_file() and hashes.of(file) == hashed:
            continue
        if not last and not store.has(f"{FILES}/{hashed}"):
            return False
        _fetch(paths, store, f"{FILES}/{hashed}", file, hashed)
    hashes.save()
    tables = dict(_pointers(paths, url, options, snapshot))
    for table, pointer in tables.items():
        if not table.is_file() or read_manifest(table, TablePointer) != pointer:
            write_manifest(table, pointer)
    _forget(paths, {paths.root / name for name in snapshot.files} | tables.keys())
    return True


def _checked(url: str, snapshot: Published | None) -> Published:
    """Return the snapshot; InputError where it names what no workspace has."""
    found = "no snapshot that can be read"
    if snapshot is not None and not snapshot.odd:
        wrong = [name for name in snapshot.files if not KNOWN.fullmatch(name)]
        wrong += [name for name in snapshot.tables if not _TABLES.fullmatch(name)]
        if not wrong:
            return snapshot
        found = f"a file {wrong[0][:80]!r}"
    raise InputError(
        f"{url}: found {found} among the files for readers; expected those of a workspace, as"
        " 'refract run' puts them; have 'refract maintain' put them anew where it is written"
    )


def _fetch(paths: Paths, store: Objects, name: str, file: Path, hashed: str) -> None:
    temporary = paths.state / "incoming.tmp"
    store.get(name, temporary)
    if content_hash(temporary) != hashed:
        temporary.unlink()
        raise InputError(
            f"{name}: found other bytes in the store than its name says; expected the file that was"
            " put there; have 'refract maintain' put it anew where the workspace is written"
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary.replace(file)


def _pointers(
    paths: Paths, url: str, options: StoreOptions, snapshot: Published
) -> Iterator[tuple[Path, TablePointer]]:
    for name, table in snapshot.tables.items():
        yield (
            paths.root / name,
            TablePointer(
                url=f"{url}/{name.removeprefix('data/')}",
                options=options,
                version=table.version,
                live=table.live,
                rows=table.rows,
                digest=table.digest,
            ),
        )


def _forget(paths: Paths, known: set[Path]) -> None:
    """Remove what the snapshot does not name any more; reports are the reader's own."""
    for path in paths.data.rglob("*"):
        if path.is_file() and path not in known and paths.reports not in path.parents:
            path.unlink()
