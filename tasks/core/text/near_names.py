"""Which name was probably meant, where one is typed that there is not."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

from tasks.core.text.discretion import LONGEST


def meant(wanted: str, known: Collection[str]) -> str:
    """Return " (did you mean 'topic'?)" where a known name is near, else nothing."""
    if wanted in known or len(wanted) > LONGEST:  # what it takes grows by the square of that
        return ""
    near = get_close_matches(wanted, known, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def listed(wanted: str, known: Collection[str], nothing: str = "none") -> str:
    """Return the names that there are, for a refusal of `wanted`, and the one that is near it."""
    return f"{', '.join(known) or nothing}{meant(wanted, known)}"
