"""Rejected rows and files, each with its reason, as JSON Lines."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType
from typing import TextIO

CONTENT_LIMIT = 2_000  # characters of a rejected row that are kept to look at


class RejectLog:
    """Write rejected rows to `path`, which appears, whole, only when the `with` block ends well.

    Nothing rejected leaves no file, and removes that of an earlier run.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written = 0
        self._temporary = path.with_name(f".{path.name}.tmp")
        self._handle: TextIO | None = None

    def __enter__(self) -> RejectLog:
        return self

    def write(self, source: str, position: int | None, reason: str, content: str = "") -> None:
        """Add a row; `position` is a line or row number from 1, None for a whole file."""
        row = {
            "source": source,
            "position": position,
            "reason": reason,
            "content": content[:CONTENT_LIMIT],
        }
        if self._handle is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = self._temporary.open("w", encoding="utf-8", errors="backslashreplace")
        self._handle.write(json.dumps(row, ensure_ascii=False) + "\n")
        self.written += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._handle is not None:
            self._handle.flush()
            os.fsync(self._handle.fileno())
            self._handle.close()
        if kind is None and self.written:
            self._temporary.replace(self.path)
            return
        self._temporary.unlink(missing_ok=True)
        if kind is None:
            self.path.unlink(missing_ok=True)
