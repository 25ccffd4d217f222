"""Which columns of a file could hold its texts, where none has a usual name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

LOOKED_AT = 1_000  # rows
WORDY = 20  # mean characters from which values may be texts
MOST = 5  # candidates that are named


def text_columns(columns: Mapping[str, Sequence[str | None]]) -> list[str]:
    """Return the columns whose values are texts of several words, the longest in the mean first."""
    found: dict[str, float] = {}
    for name, cells in columns.items():
        values = [cell for cell in cells[:LOOKED_AT] if cell and cell.strip()]
        length = sum(map(len, values)) / max(len(values), 1)
        worded = sum(" " in value.strip() for value in values)
        if length >= WORDY and 2 * worded > len(values):
            found[name] = length
    return sorted(found, key=lambda name: -found[name])[:MOST]
