"""Label files as they were judged last, for whoever asks for the labels again and again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

import polars as pl

from tasks.core.labels.files import Part
from tasks.core.workspace.files import look

_MOST = 500_000  # rows of all files that are remembered: some 50 MB


class KnownParts:
    """Judges each label file once, until it or what it is judged by is another; threads share it.

    What is remembered goes by the size, the times and the number of a file. One that has changed
    just now is not remembered, and is read anew the next time.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[Part, tuple[object, pl.DataFrame]] = OrderedDict()

    def judged(self, part: Part, by: object, judge: Callable[[Part], pl.DataFrame]) -> pl.DataFrame:
        """Return what `judge` says of a file; by: names all else that this follows from."""
        try:
            seen, rests = look(part.changing)
        except OSError:  # who reads it says why
            return judge(part)
        with self._lock:
            known = self._known.get(part)
        if known is not None and known[0] == (seen, by):
            return known[1]
        found = judge(part)
        if rests:
            with self._lock:
                self._known[part] = (seen, by), found
                self._known.move_to_end(part)
                while sum(len(rows) for _, rows in self._known.values()) > _MOST:
                    self._known.popitem(last=False)
        return found
