"""What a flow run leaves to look at in the Prefect UI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from prefect.artifacts import create_link_artifact, create_table_artifact


def leave_table(key: str, title: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Attach a table to the flow run; `key` groups the artifacts of all runs of its kind."""
    create_table_artifact(
        table=[dict(row) for row in rows], key=key.replace("_", "-"), description=title
    )


def leave_link(key: str, path: Path, title: str) -> None:
    """Attach a link to what the flow run made at `path`."""
    link = path.resolve().as_uri()
    create_link_artifact(link=link, link_text=title, key=key.replace("_", "-"))
