"""Checkpoints of shards: a shard's JSON is what its worker returns and what a restart finds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tasks.core.remote.objects import Objects
from tasks.core.remote.pointers import pointer_at
from tasks.core.store.layout import DATA
from tasks.core.workspace.files import digest
from tasks.core.workspace.manifest import read_manifest, write_manifest
from tasks.core.workspace.state_manifests import Shard

BEGUN = "begun"  # an empty file: a run has begun here, and has not ended
REBUILD = "rebuild.json"  # from which version of the table a rebuild has begun


@dataclass(frozen=True)
class Slice:
    """The rows of one shard (numbers or positions, int64), and where in the plan they begin."""

    start: int
    rows: np.ndarray

    def __str__(self) -> str:
        return f"{self.start}-{self.start + len(self.rows)}"


def begin(folder: Path) -> Path:
    """Note that a run has begun whose shards are noted in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / BEGUN).touch()
    return folder


def begun(folder: Path) -> bool:
    """Tell whether a run has begun here and not ended: it may have left files that nobody sees."""
    return folder.is_dir() and any(folder.iterdir())


def ranges(total: int, size: int) -> Iterator[tuple[int, int]]:
    """Cut 0…total into ranges of at most `size`."""
    for start in range(0, total, size):
        yield start, min(start + size, total)


def slices(rows: np.ndarray, size: int) -> Iterator[Slice]:
    """Share out `rows` in slices of at most `size`, in their order."""
    for start, stop in ranges(len(rows), size):
        yield Slice(start, rows[start:stop].astype(np.int64))


def key_of(purpose: str, rows: np.ndarray) -> str:
    """Return a fingerprint of what a shard makes and of its rows: a restart finds it by that."""
    return digest(purpose, np.ascontiguousarray(rows, dtype=np.int64).tobytes().hex())


def load(folder: Path, key: str, table: Path) -> Shard | None:
    """Return the shard if it was finished before and its files are still there."""
    shard = read_manifest(folder / f"{key}.json", Shard)
    whole = shard is not None and shard.fragments and not shard.odd
    return shard if shard and whole and fragments_exist(table, shard.fragments) else None


def fragments_exist(table: Path, fragments: Sequence[str]) -> bool:
    """Tell whether every data file that `fragments` names is still there."""
    files = [file["path"] for text in fragments for file in json.loads(text)["files"]]
    pointer = pointer_at(table)
    if pointer is None:
        return all((table / DATA / path).is_file() for path in files)
    held = Objects(f"{pointer.url}/{DATA}", pointer.options)
    return all(held.has(path) for path in files)


def save(folder: Path, key: str, shard: Shard) -> None:
    """Note that a shard is finished, and what its worker returned."""
    write_manifest(folder / f"{key}.json", shard)


def clear(folder: Path) -> None:
    """Remove all checkpoints of a run that is committed."""
    shutil.rmtree(folder, ignore_errors=True)
