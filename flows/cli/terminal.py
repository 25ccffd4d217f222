"""Where everything goes that a person sees: harmless in any terminal, in whatever encoding."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from tasks.core.text.characters import visible
from tasks.signs import clear


class Cleaned(io.TextIOBase):
    """A text stream that shows control characters instead of sending them."""

    def __init__(self, raw: TextIO) -> None:
        """Clean what goes to `raw`; Rich, whose tables are clean already, writes to it directly."""
        self._below = raw
        if isinstance(raw, io.TextIOWrapper):
            raw.reconfigure(errors="backslashreplace")  # a terminal in latin-1 shows what it can

    @property
    def rich_proxied_file(self) -> TextIO:
        """The stream below, for those who write to it at once: no sign of life stands there."""
        clear()
        return self._below

    @property
    def buffer(self) -> Any:
        """The bytes below, for what programs read."""
        return self.rich_proxied_file.buffer

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream that is written to."""
        return self._below.encoding

    def write(self, text: str) -> int:
        """Write `text`, in which line ends stay, and tabs."""
        self.rich_proxied_file.write(lines(text))
        return len(text)

    def flush(self) -> None:
        """Flush the stream that is written to."""
        self._below.flush()

    def isatty(self) -> bool:
        """Tell whether the stream that is written to is a terminal."""
        return self._below.isatty()

    def fileno(self) -> int:
        """Return the number that child processes write to."""
        return self.rich_proxied_file.fileno()

    def writable(self) -> bool:
        """Return True, as the stream that is written to is open for writing."""
        return True


def lines(text: str) -> str:
    """Return `text` cleaned line by line."""
    return "".join(
        part if part in ("\n", "\t") else visible(part) for part in re.split(r"([\n\t])", text)
    )


@contextmanager
def cleaned() -> Iterator[None]:
    """Clean everything that is printed within the block."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (Cleaned(stream) for stream in before)
    try:
        yield
    finally:
        clear()
        sys.stdout, sys.stderr = before


def open_closed_streams() -> None:
    """Let standard streams that were closed lead nowhere, before a file takes their numbers."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
            os.set_inheritable(null, null == number)
            mode = "w" if number else "r"
            setattr(sys, name, os.fdopen(null, mode, encoding="utf-8"))


def give(text: str) -> None:
    """Print what a program reads: bytes in UTF-8, unchanged; cleaned where a person looks."""
    below = getattr(sys.stdout, "buffer", None)
    if below is None or sys.stdout.isatty():  # none: what Python code has put there instead
        sys.stdout.write(lines(text))
        return
    sys.stdout.flush()
    below.write(text.encode("utf-8", "backslashreplace"))
    below.flush()
