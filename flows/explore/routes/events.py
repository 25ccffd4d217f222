"""What happens in the workspace, as server-sent events for as long as one listens."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse

from flows.explore.learning.hub import Hub
from flows.explore.learning.learner import Learning
from flows.explore.service import Served, Service

router = APIRouter(tags=["events"])
_QUIET = 15.0  # seconds without an event until a comment says that somebody is there
_LOOK = 0.5  # seconds between two looks whether the service ends
_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "events, without an end"}
}


@router.get("/events", response_class=StreamingResponse, responses=_EVENTS)
async def events(
    service: Served,
    learner: Learning,
    last: Annotated[str | None, Header(alias="last-event-id")] = None,
) -> StreamingResponse:
    """Tell of labels, fits, live views, versions, failures, and a corpus that has changed.

    labels: view, labelled, classes, labels_needed. fit, fitted: view. live: view, version,
    transform, before, after, rows. version: view, version, transform. failed: view, why.
    corpus: texts. missed: what happened since `last-event-id` is not known any more; look anew.
    """
    stream = _stream(learner.hub, service, last)
    return StreamingResponse(stream, media_type="text/event-stream")


async def _stream(hub: Hub, service: Service, last: str | None) -> AsyncIterator[bytes]:
    with hub.followed(last) as follower:
        yield b"retry: 1000\n\n" if last else f"retry: 1000\nid: {hub.last}\n\n".encode()
        quiet = time.monotonic()
        while not service.ending.is_set():
            try:
                event = await follower.next(_LOOK)
            except EOFError:
                return
            if event is not None:
                yield event.encoded()
            elif time.monotonic() - quiet < _QUIET:
                continue
            else:
                yield b": here\n\n"
            quiet = time.monotonic()
