"""Checkpoints of shards: a shard's JSON is what its worker returns and what a restart finds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tasks.core.store.tables import fragments_exist
from tasks.core.workspace.files import digest, replacing
from tasks.core.workspace.manifest import read_manifest, write_manifest
from tasks.core.workspace.state_manifests import Shard

PLAN = "plan.npy"
REBUILD = "rebuild.json"  # from which version of the table a rebuild has begun


def write_plan(folder: Path, rows: np.ndarray) -> Path:
    """Store the rows (numbers or positions, int64, ascending) that the shards of one run share."""
    path = folder / PLAN
    with replacing(path) as file:
        np.save(file, rows.astype(np.int64), allow_pickle=False)
    return path


def begun(folder: Path) -> bool:
    """Tell whether a run has begun here and not ended: it may have left files that nobody sees."""
    return folder.is_dir() and any(folder.iterdir())


def read_plan(path: Path, start: int, stop: int) -> np.ndarray:
    """Return the rows of the shard from `start` to `stop`."""
    return np.array(np.load(path, mmap_mode="r", allow_pickle=False)[start:stop])


def ranges(total: int, size: int) -> Iterator[tuple[int, int]]:
    """Cut 0…total into ranges of at most `size`."""
    for start in range(0, total, size):
        yield start, min(start + size, total)


def key_of(purpose: str, rows: np.ndarray) -> str:
    """Return a fingerprint of what a shard makes and of its rows: a restart finds it by that."""
    return digest(purpose, np.ascontiguousarray(rows, dtype=np.int64).tobytes().hex())


def load(folder: Path, key: str, table: Path) -> Shard | None:
    """Return the shard if it was finished before and its files are still there."""
    shard = read_manifest(folder / f"{key}.json", Shard)
    whole = shard is not None and shard.fragments and not shard.odd
    return shard if shard and whole and fragments_exist(table, shard.fragments) else None


def save(folder: Path, key: str, shard: Shard) -> None:
    """Note that a shard is finished, and what its worker returned."""
    write_manifest(folder / f"{key}.json", shard)


def clear(folder: Path) -> None:
    """Remove all checkpoints of a run that is committed."""
    shutil.rmtree(folder, ignore_errors=True)
