"""The engine that every workspace has: this process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from flows.engine.piece import Advance, Piece, Result
from tasks.progress import heard


class Here:
    """Runs one piece after another, each when its result is asked for.

    The encoder and the matrix products fill all cores by themselves.
    """

    apart = False

    def run(
        self, task: Any, pieces: Iterable[Piece], advance: Advance
    ) -> Iterator[tuple[Piece, Result]]:
        """Yield each piece; what its task counts while it runs is shown at once."""
        for piece in pieces:
            yield piece, partial(_call, task, piece, advance)


def _call(task: Any, piece: Piece, advance: Advance) -> Any:
    left = piece.counts

    def count(n: int) -> None:
        nonlocal left
        left -= n
        advance(n)

    try:
        with heard(count):
            return task(**piece.arguments)
    finally:
        advance(left)  # of a shard that was finished before, or of a label file that is of no use
