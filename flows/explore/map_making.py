"""Maps are made behind the answers: one at a time, in a process of its own that gives way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from flows.queries import maps
from tasks.core.atlas import kept
from tasks.core.atlas.kept import ViewMap
from tasks.core.atlas.making import make_apart
from tasks.core.settings.params import Params
from tasks.core.workspace.errors import UnmadeError
from tasks.core.workspace.instruction_name import BASE
from tasks.core.workspace.paths import Paths


class MapMaking:
    """The maps of a workspace, by view; threads share it."""

    def __init__(self, paths: Paths, params: Callable[[], Params]) -> None:
        self._paths, self._params = paths, params
        self._lock = threading.Lock()
        self._maps: dict[str, tuple[str, ViewMap]] = {}
        self._wanted: dict[str, int] = {}  # view → version, in the order of asking
        self._share: dict[str, float] = {}
        self._failed: dict[str, str] = {}
        self._thread: threading.Thread | None = None
        self._passing: TemporaryDirectory[str] | None = None

    def of(self, name: str, version: int) -> ViewMap | float:
        """Return the map of a version of a view, or how much of it is made, from 0 to 1.

        Where it is not there it is begun. UnmadeError, once, where it could not be made.
        """
        state = maps.source(self._paths, name, version).state
        with self._lock:
            known = self._maps.get(name)
            if known is not None and known[0] == state:
                return known[1]
            found = kept.read(self._folder(name), state)
            if found is not None:
                self._maps[name] = (state, found)
                return found
            if (why := self._failed.pop(name, None)) is not None:
                raise UnmadeError(why)
            self._wanted[name] = version
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="maps", daemon=True)
                self._thread.start()
            return self._share.get(name, 0.0)

    def latest(self, name: str) -> ViewMap | None:
        """Return the map of a view that was made last, of whatever version; None before any."""
        return kept.latest(self._folder(name))

    def _work(self) -> None:
        while (next_one := self._next()) is not None:
            name, version = next_one
            try:
                self._make(name, version)
            except Exception as error:
                with self._lock:
                    self._failed[name] = f"map of {name}: {error}; ask again to try once more"
            finally:
                with self._lock:
                    self._share.pop(name, None)
                    if self._wanted.get(name) == version:
                        del self._wanted[name]

    def _next(self) -> tuple[str, int] | None:
        with self._lock:
            found = next(iter(self._wanted.items()), None)
            if found is None:
                self._thread = None  # whoever asks from here on starts another
            return found

    def _make(self, name: str, version: int) -> None:
        folders: dict[str, Path | None] = {each: self._folder(each) for each in (BASE, name)}

        def told(share: float) -> None:
            self._share[name] = share

        make_apart(maps.wanted(self._paths, self._params(), name, folders, version), told)

    def _folder(self, name: str) -> Path:
        place = maps.place_of_maps(self._paths, name)
        if place is not None:
            return place
        if self._passing is None:  # nothing of this workspace may be kept: as long as we live
            self._passing = TemporaryDirectory(prefix="refract-maps-")
        return Path(self._passing.name) / name
