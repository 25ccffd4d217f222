"""All that goes on beside the answers of the service: labels, fits, and what is told of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, HTTPException, Request

from flows.explore import overview
from flows.explore.learning.hub import Hub
from flows.explore.learning.noticing import Notices
from flows.explore.learning.refitting import Refitter
from flows.queries.labelled import Labelled, LabelsRead, labelled_in
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.instruction_name import check_name
from tasks.core.workspace.manifest import read_manifest
from tasks.core.workspace.manifests import Rejection

if TYPE_CHECKING:
    from flows.explore.service import Service

_ENDS = 3.0  # seconds that they get to end


class Learner:
    """Watches one workspace, fits what is labelled in it, and tells what happens.

    hub: tells it; read: what was read of its labels and texts.
    """

    def __init__(self, service: Service) -> None:
        """Take what is there now for known; nothing goes on before `going_on`."""
        paths = service.paths
        self.hub = Hub()
        self._service = service
        self._lock = threading.Lock()
        self._known: dict[str, tuple[object, Labelled]] = {}
        self.read = LabelsRead(paths)
        self._notices = Notices(
            paths, self.hub, service.fitting, lambda: overview.tags(paths) or {}, self.labelled
        )
        self._refitter = Refitter(paths, self.labelled, self._failed)

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Watch and fit until the block ends, or the service does."""
        ending = self._service.ending
        works: list[Callable[[threading.Event], None]] = [self._notices.run, self._refitter.run]
        threads = [threading.Thread(target=work, args=(ending,), daemon=True) for work in works]
        for each in threads:
            each.start()
        try:
            yield
        finally:
            ending.set()
            for each in threads:
                each.join(_ENDS)  # what they have begun ends with this process

    def posted(self, name: str, *, enough: bool) -> None:
        """Have the labels of an instruction learnt once they rest, where they are enough."""
        if enough:
            self._refitter.note([name])
        else:
            self._refitter.expect()

    def labelled(self, name: str) -> Labelled:
        """Return the labelled texts of an instruction; the same label files are read once."""
        service = self._service
        file = overview.label_file(service.paths, check_name(name))
        state = overview.state_of(service.paths, file), service.params.fit
        with self._lock:
            known = self._known.get(name)
        if known is not None and known[0] == state:
            return known[1]
        if isinstance(file, InputError):
            raise file
        found = labelled_in(service.paths, service.params, file, self.read)
        with self._lock:
            self._known[name] = state, found
        return found

    def _failed(self, name: str, why: str) -> None:
        noted = read_manifest(self._service.paths.rejection(name), Rejection)
        if noted is None or noted.reason not in why:  # what is noted, the notices tell
            self.hub.tell("failed", view=name, why=why)


async def _of_app(request: Request) -> Learner:
    learner = request.app.state.learner
    if not isinstance(learner, Learner):
        raise HTTPException(503)
    return learner


Learning = Annotated[Learner, Depends(_of_app)]
"""What a route takes to have the learner."""
