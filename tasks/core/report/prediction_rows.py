"""What a view says of its texts, counted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tasks.core.store import tables


def likeliest(view: Path) -> dict[str, int]:
    """Count of how many of a view's live rows each label is the likeliest, batch by batch."""
    counts: Counter[str] = Counter()
    for batch in tables.batches(view, ["label"], version=tables.live_version(view)):
        counts.update(batch.column(0).to_pylist())
    return dict(counts)
