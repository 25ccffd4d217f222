"""Which versions a store keeps, readers see, and a workspace goes on from: no byte moves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tasks.core.remote.driving import (
    commit_restore,
    is_other,
    moved,
    opened,
    refused,
    restores,
)
from tasks.core.remote.manifests import TablePointer
from tasks.core.remote.pointers import LIVE, answering, behind, pointer_at, set_tag

RETIRED = "retired"  # the tag of a table that no pointer leads to any more
RECORDED = "recorded-"  # how the tags begin that hold the versions which a record names


def let_go(pointer: TablePointer) -> None:
    """Note with the table behind a pointer that none leads there any more, and none sees it."""
    where = behind(pointer)
    with answering(where):
        dataset = opened(where, None)
        set_tag(dataset, RETIRED, int(dataset.version))
        if LIVE in dataset.tags.list():
            dataset.tags.delete(LIVE)


def hold(pointer: TablePointer) -> None:
    """Keep the versions that a pointer means by a tag each, and let readers see the live one."""
    where = behind(pointer)
    wanted = {number for number in (pointer.version, pointer.live) if number is not None}
    with answering(where):
        for number in sorted(wanted):
            dataset = opened(where, number)
            set_tag(dataset, f"{RECORDED}{number}", number)
            if number == pointer.live:
                set_tag(dataset, LIVE, number)


def let_go_at(pointer: TablePointer) -> int | None:
    """Return the version that the table behind a pointer was let go at, if it lies so still."""
    where = behind(pointer)
    with answering(where):
        dataset = opened(where, None)
        tag = dataset.tags.list().get(RETIRED)
        latest = int(dataset.version)
    return latest if tag is not None and int(tag["version"]) == latest else None


def begin_again(table: Path, pointer: TablePointer, version: int) -> None:
    """Let a new pointer lead to a table that was let go at `version`."""
    where = behind(pointer)
    with answering(where):
        dataset = opened(where, version)
        moved(table, pointer, dataset)
        _claim(dataset)


def _claim(dataset: Any) -> None:
    if RETIRED in dataset.tags.list():
        dataset.tags.delete(RETIRED)


def take_over(table: Path) -> None:
    """Make what a pointer means the latest of its table again, and let readers see its version.

    The pointer stays as it is, since it is recorded so. InputError where the store has lost it.
    """
    pointer = pointer_at(table)
    if pointer is None or pointer.version is None:
        return
    where = behind(pointer)
    with answering(where):
        dataset = opened(where, pointer.version)
        if is_other(pointer, dataset):
            raise refused(where, f"another version {pointer.version} than was recorded")
        latest = int(dataset.latest_version)
        if latest != pointer.version and restores(dataset, latest) != pointer.version:
            commit_restore(where, latest, pointer.version)
        _claim(dataset)
        if pointer.live is not None:
            set_tag(dataset, LIVE, pointer.live)
