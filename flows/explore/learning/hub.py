"""What has happened, told to everyone who follows, and kept a while for those who come back."""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

KEPT = 256  # events that one who comes back is told of
WAITING = 256  # events that wait for one who is slow; then he is sent away, and comes back

MISSED = "missed"  # told to one who was away for too long: he has to look anew


@dataclass(frozen=True)
class Event:
    """One thing that has happened; data: JSON values by name."""

    id: str
    event: str
    data: Mapping[str, object]

    def encoded(self) -> bytes:
        """Return it as a server-sent event."""
        data = json.dumps(dict(self.data), ensure_ascii=False)
        return f"id: {self.id}\nevent: {self.event}\ndata: {data}\n\n".encode()


class Follower:
    """One who follows; `next` waits in the event loop in which this was made."""

    def __init__(self, events: list[Event]) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue(WAITING + len(events) + 1)
        for event in events:
            self._queue.put_nowait(event)

    async def next(self, seconds: float) -> Event | None:
        """Return the next event, or None where none comes in time; EOFError for one who is slow."""
        try:
            event = await asyncio.wait_for(self._queue.get(), seconds)
        except TimeoutError:
            return None
        if event is None:
            raise EOFError("too slow")
        return event

    def hand(self, event: Event) -> None:
        """Give it an event, from any thread."""
        with suppress(RuntimeError):  # its loop has ended: nobody is there any more
            self._loop.call_soon_threadsafe(self._put, event)

    def _put(self, event: Event) -> None:
        if self._queue.qsize() < self._queue.maxsize - 1:
            self._queue.put_nowait(event)
        elif not self._queue.full():
            self._queue.put_nowait(None)  # the last that it gets


class Hub:
    """Everything that is told, in one order; any thread may tell."""

    def __init__(self) -> None:
        self._start = secrets.token_hex(4)  # ids of an earlier start are known as such
        self._lock = threading.Lock()
        self._count = 0
        self._kept: deque[Event] = deque(maxlen=KEPT)
        self._followers: set[Follower] = set()

    def tell(self, event: str, **data: object) -> None:
        """Tell everyone who follows."""
        with self._lock:
            self._count += 1
            made = Event(f"{self._start}-{self._count}", event, data)
            self._kept.append(made)
            for each in self._followers:
                each.hand(made)

    @contextmanager
    def followed(self, last: str | None = None) -> Iterator[Follower]:
        """Yield one who follows from here on, or from behind the event whose id is `last`."""
        with self._lock:
            follower = Follower(self._since(last) if last else [])
            self._followers.add(follower)
        try:
            yield follower
        finally:
            with self._lock:
                self._followers.discard(follower)

    @property
    def last(self) -> str:
        """The id of the last event: who knows it has missed nothing."""
        return f"{self._start}-{self._count}"

    def _since(self, last: str) -> list[Event]:
        kept = list(self._kept)
        known = [f"{self._start}-{self._count - len(kept)}", *(each.id for each in kept)]
        if last not in known:
            return [Event(self.last, MISSED, {})]
        return kept[known.index(last) :]
