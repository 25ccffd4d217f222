"""Signs of life: what is waited for, in a line of the terminal that goes when anything is said."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TextIO

_ERASE = "\r\x1b[K"
_shown: list[TextIO] = []  # the terminal that a sign stands on, if one does


def sign(text: str) -> None:
    """Show what is waited for, in place of the sign before; nothing where nobody looks."""
    below = getattr(sys.stderr, "_below", sys.stderr)
    if below is None or not below.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        return
    width = shutil.get_terminal_size().columns
    below.write(f"{_ERASE}{f'{text} …'[: width - 1]}")
    below.flush()
    _shown[:] = [below]


def clear() -> None:
    """Erase the sign, as something is about to be printed."""
    while _shown:
        below = _shown.pop()
        below.write(_ERASE)
        below.flush()
