"""What an engine runs: calls of one task, handed out in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

Advance = Callable[[int], None]
Result = Callable[[], Any]
"""Waits for what a task returns; raises what it raised."""


@dataclass(frozen=True)
class Piece:
    """One call of a task.

    counts: how much of the work it is, in what the progress counts; named: says which piece it is,
    where it has to be refused.
    """

    arguments: dict[str, Any]
    counts: int
    named: Callable[[], str]


class Engine(Protocol):
    """Whatever runs the pieces of a work.

    apart: in other processes, which may die alone and leave files that nobody sees.
    """

    apart: bool

    def run(
        self, task: Any, pieces: Iterable[Piece], advance: Advance
    ) -> Iterator[tuple[Piece, Result]]:
        """Yield each piece in its order, with how to get its result; count it in `advance`."""
        ...
