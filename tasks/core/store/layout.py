"""How Lance lays out a table's folder: what small files tell of it without opening it."""

from __future__ import annotations

from pathlib import Path

from tasks.core.workspace.files import read_json

LIVE = "live"  # the tag that readers of a view follow
DATA, DELETIONS, VERSIONS, TRANSACTIONS = "data", "_deletions", "_versions", "_transactions"


def exists(table: Path) -> bool:
    """Tell whether a table with at least one version is there."""
    versions = table / VERSIONS
    return versions.is_dir() and any(versions.iterdir())


def live_note(table: Path) -> Path:
    """Return the file that says which version the tag `live` names."""
    return table / "_refs" / "tags" / f"{LIVE}.json"


def noted_live_version(table: Path) -> int | None:
    """Return the version that readers see as its tag notes it; None where no tag is readable."""
    version = (read_json(live_note(table)) or {}).get("version")
    return version if isinstance(version, int) else None
