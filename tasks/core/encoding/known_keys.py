"""Ids and hashes of texts that were looked up before, for whoever asks again and again."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from tasks.core.encoding import base_table
from tasks.core.store import layout

_MOST = 100_000  # ids and hashes that are remembered: 30 MB
_SCHEMA = {"id": pl.String, "text_hash": pl.String}
_Found = dict[str, list[tuple[str, str]]]


class KnownKeys:
    """As `base_table.keys`, but asks for each id and hash once a version; threads share it."""

    def __init__(self, table: Path) -> None:
        self._table = table
        self._lock = threading.Lock()
        self._state = ""
        self._known: dict[str, _Found] = {}

    def __call__(self, column: str, values: Iterable[str] | None) -> Iterator[pl.DataFrame]:
        """Yield the texts that have one of `values` in `column`, or all (see `TextKeys`)."""
        ask, wanted = base_table.keys(self._table), None if values is None else set(values)
        if wanted is None or len(wanted) > _MOST:
            yield from ask(column, wanted)
            return
        known, at = self._of_this_version(column), list(_SCHEMA).index(column)
        with self._lock:
            here = {value: known[value] for value in wanted if value in known}
        missing = wanted - here.keys()
        if missing:
            found: _Found = {value: [] for value in missing}
            for frame in ask(column, missing):
                for pair in frame.select(*_SCHEMA).iter_rows():
                    found[pair[at]].append(pair)
            here |= found
            with self._lock:
                if len(known) + len(found) > _MOST:
                    known.clear()
                known |= found
        rows = [pair for value in sorted(wanted) for pair in here[value]]
        yield pl.DataFrame(rows, _SCHEMA, orient="row")

    def _of_this_version(self, column: str) -> _Found:
        state = layout.state(self._table)
        with self._lock:
            if state != self._state:
                self._state, self._known = state, {}
            return self._known.setdefault(column, {})
