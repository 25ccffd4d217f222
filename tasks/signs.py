"""Signs of life: what is waited for, in a line of the terminal that goes when anything is said.

Where there is no terminal, a long command may have a line for each of its stages.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TextIO

_ERASE = "\r\x1b[K"
_shown: list[TextIO] = []  # the terminal that a sign stands on, if one does
_command: ContextVar[str | None] = ContextVar("command", default=None)


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


@contextmanager
def stages_told(command: str) -> Iterator[None]:
    """Have `stage` print a line for each stage of this command, where there is no terminal."""
    token = _command.set(command)
    try:
        yield
    finally:
        _command.reset(token)


def stage(name: str) -> None:
    """Say that a stage begins; on a terminal its progress is shown instead.

    On stdout: what is refused later is the only line on stderr.
    """
    command = _command.get()
    if command is not None and not sys.stderr.isatty():
        print(f"{command}: {name} …", flush=True)
