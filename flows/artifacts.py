"""What a flow run leaves to look at in the Prefect UI."""

from __future__ import annotations

from typing import Any

from prefect.artifacts import create_table_artifact


def leave_table(key: str, title: str, rows: list[dict[str, Any]]) -> None:
    """Attach a table to the flow run; `key` groups the artifacts of all runs of its kind."""
    create_table_artifact(table=rows, key=key.replace("_", "-"), description=title)
