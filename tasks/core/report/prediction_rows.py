"""What a view says of its texts, counted."""

from __future__ import annotations

from collections import Counter

from tasks.core.views.view_rows import Rows


def likeliest(view: Rows) -> dict[str, int]:
    """Count of how many of a view's rows each label is the likeliest, batch by batch."""
    counts: Counter[str] = Counter()
    for part in view.parts(["label"]):
        counts.update(part["label"])
    return dict(counts)
