"""What a flow run leaves to look at in the Prefect UI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from prefect.artifacts import create_link_artifact, create_table_artifact

from flows.runtime.server.report_pages import report_link


def leave_table(key: str, title: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Attach a table to the flow run; `key` groups the artifacts of all runs of its kind."""
    create_table_artifact(
        table=[dict(row) for row in rows], key=key.replace("_", "-"), description=title
    )


def leave_view(name: str, table: Path | None) -> None:
    """Attach a link to the report of a view that the flow run made; elsewhere to its table.

    The server of `refract serve` alone shows reports. table: None where there are no rows in it.
    """
    page = report_link(name)
    link = page or (table and table.resolve().as_uri())
    if not link:
        return
    title = f"the report of {name}" if page else name
    key = f"view-{name}".replace("_", "-")
    create_link_artifact(link=link, link_text=title, key=key)
