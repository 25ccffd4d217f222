"""One change of a table in a store: the pointer follows it, whatever happens in between.

Lance commits a version where nobody else has (a conditional put); the pointer moves after it. What
a kill leaves in between is found by the mark that the commit carries. A store has one writer: where
another workspace has committed meanwhile, this one refuses, and nothing of the other's is lost.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tasks.core.remote.manifests import Begun, TablePointer
from tasks.core.remote.pointers import Location, answering, behind, location_of, pointer_at
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import digest
from tasks.core.workspace.manifest import write_manifest

_MARK = "__lance_commit_message"
# What changes rows, as Lance calls it; upkeep carries no mark, and Lance (14.0) cannot tell of all.
_CHANGES_ROWS = ("Append", "Delete", "Overwrite", "Restore", "Update")


@contextmanager
def driving(table: Path) -> Iterator[dict[str, Any]]:
    """Let the block commit one change; yields what Lance's commit needs beside the operation.

    InputError where another workspace has written to the table since this one last did.
    """
    pointer = pointer_at(table)
    if pointer is None:
        yield {}
        return
    where = behind(pointer)
    with answering(where):
        known = settle(table, pointer)
        mark = secrets.token_hex(8)
        begun = Begun(version=known.version or 0, mark=mark)
        known = known.changed(begun=begun)
        write_manifest(table, known)
        strict = {"max_retries": 0, **({"read_version": known.version} if known.version else {})}
        yield {"storage_options": where.options, "commit_message": mark, **strict}
        _follow(table, known, begun)


def settle(table: Path, pointer: TablePointer) -> TablePointer:
    """Let the pointer stand at the latest version, if that is what it meant, and return it.

    What a kill has left between a commit and its pointer is taken over. InputError where the store
    holds anything else. The caller is the workspace's only writer.
    """
    where = behind(pointer)
    with answering(where):
        if pointer.begun is not None:
            return _follow(table, pointer, pointer.begun)
        if pointer.version is None:
            return pointer
        dataset = opened(where, pointer.version)
        if is_other(pointer, dataset):
            raise refused(where, f"another version {pointer.version} than was noted")
        latest = int(dataset.latest_version)
        if latest == pointer.version:
            return pointer
        if restores(dataset, latest) != pointer.version:
            raise refused(where, f"version {latest}, when {pointer.version} was noted")
        return moved(table, pointer, opened(where, latest), again=True)


def opened(where: Location, version: int | str | None, cache: int | None = None) -> Any:
    """Open the table at a location."""
    import lance

    return lance.dataset(
        where.uri,
        version=version,
        storage_options=where.options,
        index_cache_size_bytes=cache,
    )


def is_other(pointer: TablePointer, dataset: Any) -> bool:
    """Tell whether what is open is not what the pointer was made for, though of the same number."""
    return bool(pointer.digest) and pointer.digest != digest_of(dataset)


def check_noted(
    table: Path, pointer: TablePointer, version: int | str | None, dataset: Any
) -> None:
    """Refuse a version that a pointer means where the store holds another one of its number.

    dataset: open at `version`. An earlier one that is still live is another's where the latest is.
    """
    if version not in (pointer.version, pointer.live):
        return
    if version != pointer.version:
        dataset = opened(behind(pointer), pointer.version)
    if is_other(pointer, dataset):
        raise InputError(
            f"{pointer.url}: found another version {pointer.version} than this workspace has"
            " noted; expected the one that was recorded; was the bucket made anew? give this"
            " workspace a store.url of its own, or remove that table from the store and"
            f" {table} here; then run 'refract run'"
        )


def digest_of(dataset: Any) -> str:
    """Return what tells a version of a table from another one of that number, on any machine.

    Of the time of its commit the seconds alone: Lance tells it by the clock of the time zone here.
    """
    made = dataset.get_version()
    at = made["timestamp"]
    return digest(made["version"], at.second, at.microsecond, made["metadata"])


def seal_at(pointer: TablePointer, version: int) -> str:
    """Return the state of an earlier version; empty where the present one does not follow from it.

    Nor where it was let go.
    """
    if not pointer.since <= version < (pointer.version or 0):
        return ""
    with answering(behind(pointer)):
        try:
            return digest_of(opened(behind(pointer), version))
        except ValueError as error:
            if "not found" in str(error).lower():
                return ""
            raise


def _follow(table: Path, pointer: TablePointer, begun: Begun) -> TablePointer:
    """Let the pointer follow to what this workspace has committed, and end the change."""
    where = behind(pointer)
    dataset = _newest(where, begun.version)
    latest = 0 if dataset is None else int(dataset.version)
    if dataset is None or latest == begun.version:
        still = pointer.changed(begun=None)
        write_manifest(table, still)
        return still
    own = [_is_own(dataset, number, begun.mark) for number in range(begun.version + 1, latest + 1)]
    if all(own):
        return moved(table, pointer, dataset)
    write_manifest(table, pointer.changed(begun=None))
    if own[-1]:  # it lies on the other's, whose version comes back
        other = begun.version + len(own) - own[::-1].index(False)
        commit_restore(where, latest, other)
    raise refused(where, "a version that another writer has made at the same time")


def _newest(where: Location, since: int) -> Any:
    """Open the latest version; None where there is none yet."""
    if since:
        opened(where, since)  # waits for a store that is away but once
    try:
        return opened(where, None)
    except ValueError as error:
        if "was not found" in str(error):
            return None
        raise


def _is_own(dataset: Any, version: int, mark: str) -> bool:
    try:
        made = dataset.read_transaction(version)
    except TypeError:
        return True
    if made is None:
        return False
    marked = (made.transaction_properties or {}).get(_MARK) == mark
    return marked or type(made.operation).__name__ not in _CHANGES_ROWS


def restores(dataset: Any, version: int) -> int | None:
    """Return which version a checkout has brought back as `version`, if one has."""
    try:
        made = dataset.read_transaction(version)
    except TypeError:
        return None
    operation: Any = None if made is None else made.operation
    return int(operation.version) if type(operation).__name__ == "Restore" else None


def moved(table: Path, pointer: TablePointer, dataset: Any, *, again: bool = False) -> TablePointer:
    """Let the pointer mean the version that is open; again: what it meant, brought back."""
    version, rows, seal = int(dataset.version), int(dataset.count_rows()), digest_of(dataset)
    since, state = (version, pointer.state) if again else (pointer.since, seal)
    made = {"version": version, "rows": rows, "digest": seal, "state": state, "since": since}
    new = pointer.changed(**made, begun=None)
    write_manifest(table, new)
    return new


def is_again(table: Path, version: int) -> bool:
    """Tell whether what a pointer means is an earlier version that a checkout has brought back."""
    pointer = pointer_at(table)
    if pointer is None or pointer.version is None:
        return False
    where = behind(pointer)
    with answering(where):
        return restores(opened(where, pointer.version), pointer.version) == version


def restore(table: Path, version: int) -> None:
    """Make an earlier version the latest one again; no bytes move."""
    import lance

    with driving(table) as how:
        where = location_of(table)
        if not how:
            opened(where, version).restore()
            return
        lance.LanceDataset.commit(where.uri, lance.LanceOperation.Restore(version), **how)


def commit_restore(where: Location, latest: int, version: int) -> None:
    """Commit an earlier version again, after the `latest`."""
    import lance

    operation = lance.LanceOperation.Restore(version)
    lance.LanceDataset.commit(
        where.uri, operation, read_version=latest, storage_options=where.options
    )


def refused(where: Location, found: str) -> InputError:
    """Return the refusal where another workspace has written: `found` says what."""
    return InputError(
        f"{where.uri}: found {found}: another workspace writes there; expected one writer; nothing"
        " of the other's is lost: give one of the two a store.url of its own, or let the other"
        " end, then take over here with 'refract checkout REVISION'"
    )
