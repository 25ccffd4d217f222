"""How Lance lays out a table's folder: what small files tell of it without opening it."""

from __future__ import annotations

from pathlib import Path

from tasks.core.remote.driving import seal_at
from tasks.core.remote.pointers import LIVE, pointer_at
from tasks.core.workspace.files import content_hash, read_json
from tasks.core.workspace.hardlinks import check_hard_links

_LAST = (1 << 64) - 1  # from which the names of manifests count down
DATA, DELETIONS, VERSIONS, TRANSACTIONS = "data", "_deletions", "_versions", "_transactions"


def exists(table: Path) -> bool:
    """Tell whether a table with at least one version is there, or a pointer to one in a store."""
    pointer = pointer_at(table)
    if pointer is not None:
        return pointer.version is not None
    versions = table / VERSIONS
    return versions.is_dir() and any(versions.iterdir())


def staging(table: Path) -> Path:
    """Return the folder beside a table where its next rows are prepared, while they are."""
    return table.with_name(f".{table.name}.staging")


def live_note(table: Path) -> Path:
    """Return the file that says which version the tag `live` names."""
    return table / "_refs" / "tags" / f"{LIVE}.json"


def noted_live_version(table: Path) -> int | None:
    """Return the version that readers see as its tag notes it; None where no tag is readable."""
    pointer = pointer_at(table)
    if pointer is not None:
        return pointer.live
    version = (read_json(live_note(table)) or {}).get("version")
    return version if isinstance(version, int) else None


def versions(table: Path) -> Path:
    """Return what every new version of a table changes: a folder, or the pointer."""
    return table if table.is_file() else table / VERSIONS


def manifest(table: Path, version: int | None = None) -> Path | None:
    """Return the file that names all files of a version, by default of the latest.

    None where it is not there. Lance counts down in the names, so the latest comes first.
    """
    if version is None:
        return min(versions(table).glob("*.manifest"), default=None)
    path = versions(table) / f"{_LAST - version:020}.manifest"
    return path if path.is_file() else None


def state(table: Path, version: int | None = None) -> str:
    """Return a fingerprint of a version, by default of the latest: of its manifest.

    Empty where it is not there. No two versions share one, nor two tables but for copies.
    """
    pointer = pointer_at(table)
    if pointer is not None:
        latest = version in (None, pointer.version)
        return pointer.state if version is None or latest else seal_at(pointer, version)
    found = manifest(table, version)
    return content_hash(found) if found is not None else ""


def check_place(table: Path) -> None:
    """Refuse a folder in which no table can be made, before hours are lost there."""
    if pointer_at(table) is None:
        check_hard_links(table.parent)
