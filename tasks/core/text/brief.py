"""How texts and figures are written where room is short: in tables, notebooks and on maps."""

from __future__ import annotations

NONE = "–"  # in the place of a figure that is not defined


def short(text: str | None, most: int) -> str:
    """Return how `text` begins, in one line of `most` characters at most."""
    flat = " ".join((text or "").split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"


def figure(value: float | None) -> str:
    """Return a score as people read it, to one decimal."""
    return NONE if value is None else f"{value:.1f}"


def shift(before: float | None, after: float | None) -> str:
    """Return a score before → after; a dash where either is not defined."""
    return NONE if before is None or after is None else f"{before:.1f} → {after:.1f}"


def percent(share: float | None) -> str:
    """Return a share in percent as people read it, without decimals."""
    return NONE if share is None else f"{share:.0f} %"


def first_line(error: BaseException) -> str:
    """Return the first line of a message, 300 characters at most."""
    return str(error).strip().split("\n", 1)[0][:300]
