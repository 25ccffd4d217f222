"""A real `refract explore` in a process of its own, and what asks it."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from tests.programs import Program
from tests.serving import with_server
from tests.world import documents, set_params

PATIENCE = 120.0  # seconds; on two busy cores Python alone took ten to start

OWN = "the service's own"


class Reply(NamedTuple):
    """What the service answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def detail(self) -> str:
        return str(self.json["detail"])


class Asked:
    """A service at `url` that answers whoever has the token."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token, self.host = url, token, urlsplit(url).netloc

    def get(self, path: str, token: str | None = OWN, **query: Any) -> Reply:
        asked = urlencode({k: v for k, v in query.items() if v is not None}, doseq=True)
        return self.ask("GET", f"{path}?{asked}" if asked else path, self._headers(token))

    def post(self, path: str, body: Any, token: str | None = OWN) -> Reply:
        """Post JSON, or bytes as they are."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = self._headers(token) | {"Content-Type": "application/json"}
        return self.ask("POST", path, headers, content)

    def _headers(self, token: str | None) -> dict[str, str]:
        given = self.token if token == OWN else token
        return {} if given is None else {"Authorization": f"Bearer {given}"}

    def ask(
        self, method: str, target: str, headers: dict[str, str], body: bytes | None = None
    ) -> Reply:
        """Send a request as it is, with whatever path and headers; no redirect is followed."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", int(self.url.rpartition(":")[2]), timeout=PATIENCE
        )
        connection.putrequest(method, target, skip_host="Host" in headers)
        if body is not None:
            headers = {"Content-Length": str(len(body)), **headers}
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        reply = connection.getresponse()
        found = {name.lower(): value for name, value in reply.getheaders()}
        content = reply.read()
        connection.close()
        return Reply(reply.status, found, content)


class Explored(Program, Asked):
    """`refract explore` on `root`, at any free port; its output goes to the file `log`."""

    def __init__(self, root: Path, log: Path, *words: str, **environment: str) -> None:
        super().__init__(root, log)
        self.begin(os.environ | environment, "explore", "--port", "0", *words)
        last = time.monotonic() + PATIENCE
        while not (found := re.search(r"(http://\S+)/\?token=([0-9a-f]+)\n", self.said())):
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < last, self.said()
            time.sleep(0.05)
        Asked.__init__(self, *found.groups())
        assert self.get("/openapi.json").status == 200, self.said()  # told before it is loaded


@contextmanager
def learning_from(made: Path, folder: Path, settle: float = 0.3, **more: Any) -> Iterator[Explored]:
    """Yield a service of a copy of `made`, with these settings; all of it is in `folder`.

    settle: seconds that labels rest until they are learnt from.
    """
    root = shutil.copytree(made, folder / "world")
    set_params(root, serve={"settle": settle}, **more)
    served = Explored(root, folder / "log", **with_server())
    try:
        yield served
    finally:
        served.end()


def posting(
    rows: Sequence[Mapping[str, str | None]], annotator: str = "explore", key: str | None = None
) -> dict[str, Any]:
    """Return what `POST /views/NAME/labels` is told of rows of one annotator."""
    return {"key": key or str(uuid.uuid4()), "annotator": annotator, "rows": rows}


def by_topic(ids: Iterable[str]) -> list[dict[str, str | None]]:
    """Return rows that label these texts by their topic."""
    topics = {row["id"]: row["topic"] for row in documents()}
    return [{"id": key, "label": topics[key]} for key in ids]


class Events:
    """What `GET /events` tells, from the moment in which this is made; last: where to go on."""

    def __init__(self, served: Asked, last: str | None = None) -> None:
        self._connection = http.client.HTTPConnection(served.host, timeout=PATIENCE)
        headers = {"Authorization": f"Bearer {served.token}"}
        headers |= {"Last-Event-ID": last} if last else {}
        self._connection.request("GET", "/events", headers=headers)
        self._reply = self._connection.getresponse()
        assert self._reply.headers["content-type"].startswith("text/event-stream")
        self.last = last
        self._next()

    def wait(self, event: str, **data: Any) -> dict[str, Any]:
        """Return the data of the next event of this name that has these values."""
        seen = []
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = self._next()
            seen.append(found)
            told = found.get("data", {})
            if found.get("event") == event and data.items() <= told.items():
                return dict(told)
        raise AssertionError(f"no {event} {data}, but {seen}")

    def _next(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while (line := self._reply.readline().decode().rstrip("\n")) or not found:
            if not line and self._reply.isclosed():
                raise AssertionError("the stream has ended")
            name, _, value = line.partition(": ")
            if line:
                found[name] = json.loads(value) if name == "data" else value
        self.last = found.get("id", self.last)
        return found

    def close(self) -> None:
        self._connection.close()
