"""What all routes share: the workspace as it is now, and its views, open and warm."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

from fastapi import Depends, HTTPException, Request

from flows.explore.map_making import MapMaking
from flows.explore.overview import known_as
from flows.queries.workspace import View, Workspace
from tasks.core.atlas.order import Order
from tasks.core.settings.params import Params
from tasks.core.workspace.paths import Paths

Found = TypeVar("Found")
_REMEMBERED = 4_096  # small things that were found: figures of versions, tags
_ORDERS = 2  # of points, 12 MB at a million: views of one corpus share one


class Service:
    """One workspace that is looked at; threads share it.

    known_as: what no other workspace has. fitting: instructions that are fitted just now. ending:
    set when the service is to end, for answers that would go on for ever.
    """

    def __init__(self, root: Path) -> None:
        """Open the workspace at `root`; InputError if params.yaml is missing or mistaken."""
        self.paths = Paths(root)
        self.fitting: set[str] = set()
        self.ending = threading.Event()
        self._lock = threading.Lock()
        self._ordering = threading.Lock()
        self._orders: dict[object, Order] = {}
        self._found: OrderedDict[tuple[object, ...], Any] = OrderedDict()
        self._views: dict[str, View] = {}
        self._settings = self.paths.params.read_bytes()
        self._workspace = Workspace(root)
        self.known_as = known_as(self.paths)
        self.maps = MapMaking(self.paths, lambda: self.params)

    @property
    def workspace(self) -> Workspace:
        """The workspace, by its settings as they are now; InputError where they are mistaken."""
        try:
            settings = self.paths.params.read_bytes()
        except OSError:  # not there, or not any more: it says so that reads them below
            settings = b""
        with self._lock:
            if settings != self._settings:
                workspace = Workspace(self.paths.root)
                if workspace.params.embed != self._workspace.params.embed:
                    self._views.clear()
                self._workspace, self._settings = workspace, settings
            return self._workspace

    @property
    def params(self) -> Params:
        """The settings as they are now."""
        return self.workspace.params

    def view(self, name: str) -> View:
        """Return view `name`, or 'base', which stays open; MissingError where there is none."""
        view = self.workspace.view(name)
        with self._lock:
            return self._views.setdefault(name, view)

    def once(self, key: tuple[object, ...], find: Callable[[], Found]) -> Found:
        """Return what `find` finds, and remember it; None is not remembered.

        key: names what is looked for and the version of all that it follows from.
        """
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                known: Found = self._found[key]
                return known
        found = find()
        with self._lock:
            if found is not None:
                self._found[key] = found
            while len(self._found) > _REMEMBERED:
                self._found.popitem(last=False)
        return found

    def kept_order(self, state: object, make: Callable[[], Order]) -> Order:
        """Return the order of the ids that have this `state`, which is made once; a few are held.

        Who asks for one that is being made waits for it.
        """
        with self._ordering:
            order = self._orders.pop(state, None) or make()
            self._orders[state] = order  # the last that was asked for is the last to go
            while len(self._orders) > _ORDERS:
                self._orders.pop(next(iter(self._orders)))
        return order


async def _of_app(request: Request) -> Service:
    service = request.app.state.service
    if not isinstance(service, Service):
        raise HTTPException(503)
    return service


Served = Annotated[Service, Depends(_of_app)]
"""What a route takes to have the service."""
