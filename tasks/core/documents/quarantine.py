"""Rejected rows and files, each with its reason, as JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from tasks.core.workspace.files import replacing, sweep_beside

CONTENT_LIMIT = 2_000  # characters of a rejected row that are kept to look at


class RejectLog:
    """Write rejected rows to `path`, which appears, whole, only when the `with` block ends well.

    Nothing rejected leaves no file, and removes that of an earlier run.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written = 0
        self._stack = ExitStack()
        self._file: BinaryIO | None = None

    def __enter__(self) -> RejectLog:
        sweep_beside(self.path)
        return self

    def write(self, source: str, position: int | None, reason: str, content: str = "") -> None:
        """Add a row; `position` is a line or row number from 1, None for a whole file."""
        row = {
            "source": source,
            "position": position,
            "reason": reason,
            "content": content[:CONTENT_LIMIT],
        }
        if self._file is None:
            self._file = self._stack.enter_context(replacing(self.path))
        line = json.dumps(row, ensure_ascii=False) + "\n"
        self._file.write(line.encode("utf-8", "backslashreplace"))
        self.written += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            given_up = GeneratorExit()  # not `error`, which would be named after this file
            self._stack.__exit__(GeneratorExit, given_up, None)
            return
        self._stack.close()
        if self._file is None:
            self.path.unlink(missing_ok=True)


def merge_rejects(
    path: Path, before: Mapping[str, int], others: Path, fresh: Mapping[str, int], after: list[str]
) -> None:
    """Put the rejected rows in `others` in the place of those that `path` has of their sources.

    before, fresh: how many rows there are of each source in `path` and in `others`, in their
    order; after: all sources with rejected rows from now on, in theirs.
    """
    if not fresh and list(before) == after:
        return
    if not after:
        path.unlink(missing_ok=True)
        return
    with ExitStack() as stack:
        out = stack.enter_context(replacing(path))
        new = stack.enter_context(others.open("rb")) if fresh else iter(())
        old = _runs(stack.enter_context(path.open("rb")), before) if before else iter(())
        for source in after:
            lines = fresh.get(source)
            if lines is not None:
                out.writelines(islice(new, lines))
            else:
                out.writelines(next(rows for name, rows in old if name == source))


def _runs(lines: Iterator[bytes], counts: Mapping[str, int]) -> Iterator[tuple[str, list[bytes]]]:
    """Yield the lines of each source, from lines in the order of the sources."""
    for source, count in counts.items():
        yield source, list(islice(lines, count))
