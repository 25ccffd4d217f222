"""Which column a name in a condition means."""

from __future__ import annotations

import re
from collections.abc import Sequence

LISTED = 30  # columns that a message lists


def find(name: str, columns: Sequence[str], *, quoted: bool) -> str:
    """Return the column that `name` means; ValueError if it is none, or more than one.

    Capitals count only where two columns differ in nothing else. A name as it stands in the
    documents, such as "my.column", means the column that was made of it.
    """
    if name in columns:
        return name
    alike = [column for column in columns if column.lower() == name.lower()] or _made_of(
        name, columns
    )
    if len(alike) == 1:
        return alike[0]
    if alike:
        raise ValueError(f'name {name!r} may mean {listed(alike)}; write one of these in ""')
    hint = f"; a text stands in single quotes: '{name[:40]}'" if quoted else ""
    raise ValueError(f"no column {name[:40]!r}{hint}")


def _made_of(name: str, columns: Sequence[str]) -> list[str]:
    """Return the columns that `ingest` may have made of one with this name in the documents."""
    from tasks.core.documents.metadata import sql_names

    made = sql_names([name])[name]
    copy = re.compile(re.escape(made) + r"(_[0-9]+)?", re.IGNORECASE)
    found = [column for column in columns if copy.fullmatch(column)]
    return found if made.lower() in (column.lower() for column in found) else []


def listed(columns: Sequence[str]) -> str:
    """Return names for a message: the first ones, and how many more there are."""
    more = f" and {len(columns) - LISTED} more" if len(columns) > LISTED else ""
    return ", ".join(columns[:LISTED]) + more
