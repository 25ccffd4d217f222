"""A real HTTP server on loopback that speaks the chat-completions protocol and knows the truth.

It reads what Refract's own prompts ask, answers from known labels with a given share of errors,
and can misbehave in every way that an endpoint has been seen to.
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from tasks.core.labels.taxonomy import ABSTAIN

KEY = "sk-never-to-be-seen-5f1c"
_TEXT = re.compile(r"<text (\w+)>\n(.*)\n</text \1>", re.DOTALL)
_NOTE = re.compile(r'^- (".*")$', re.MULTILINE)


@dataclass(frozen=True)
class Reply:
    """What goes over the wire instead of an answer; status 0 cuts the connection.

    more: what follows the body, for as long as the client listens.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    hang: float = 0.0
    more: Callable[[], Iterator[bytes]] | None = None


Misbehave = Callable[[int, dict[str, Any]], Reply | str | None]
"""Number (from 1) and body of a request → a reply, another answer, or None for the truth."""


class Oracle:
    """Answers each of the prompts from the truth, wrongly by `error` of the texts.

    labels: text → label. phrases: label → summaries that say so, of which a text gets one.
    """

    def __init__(
        self,
        labels: Mapping[str, str],
        error: float = 0.0,
        phrases: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.labels, self.error = labels, error
        self.names = sorted(set(labels.values()))
        self.phrases = phrases or {name: [f"it is about {name}"] for name in self.names}
        self._of_phrase = {each: name for name, own in self.phrases.items() for each in own}

    def answer(self, system: str, user: str) -> str:
        """Tell by the system prompt what is asked."""
        if system.startswith("You read one text"):
            return self.note(self.label(user, "summary"), user)
        if system.startswith("You name groups"):
            return self._name(user)
        if system.startswith("You propose labels"):
            texts = [json.loads(text) for text in _NOTE.findall(user)]
            names = sorted({self._wrongly(text, "propose") for text in texts})
            return json.dumps({"labels": [{"label": n, "description": ""} for n in names]})
        return json.dumps({"label": self._among(user, self.label(user, "class"))})

    def note(self, label: str, user: str) -> str:
        """Return a summary of a text with that label."""
        own = self.phrases[label]
        return own[len(user) % len(own)]

    def noted(self, note: str) -> str:
        """Return the label that a summary, or the start of a text, tells of."""
        known = self._of_phrase.get(note)
        start = (name for text, name in self.labels.items() if text.startswith(note))
        return known or next(start, self.names[0])

    def label(self, user: str, purpose: str) -> str:
        """Return the label of the text between the marks."""
        found = _TEXT.search(user)
        assert found, user
        return self._wrongly(found[2], purpose)

    def _wrongly(self, text: str, purpose: str) -> str:
        truth = self.labels.get(text, "")
        drawn = hashlib.blake2b(f"{purpose}\0{text}".encode(), digest_size=8).digest()
        chance, which = int.from_bytes(drawn[:4]) / 2**32, int.from_bytes(drawn[4:])
        others = [name for name in self.names if name != truth]
        return (
            others[which % len(others)] if others and (not truth or chance < self.error) else truth
        )

    def _name(self, user: str) -> str:
        inside, _, outside = user.partition("Notes of other groups")
        own, others = self._shares(inside), self._shares(outside)
        name = max(own, key=lambda name: (own[name] - others.get(name, 0), own[name], name))
        return json.dumps({"label": name, "description": f"texts about {name}"})

    def _shares(self, listed: str) -> dict[str, float]:
        """Return the share of each label among notes, so that what is common can be contrasted."""
        notes = [json.loads(note) for note in _NOTE.findall(listed)]
        votes = Counter(self.noted(note) for note in notes)
        return {name: count / len(notes) for name, count in votes.items()}

    def _among(self, user: str, label: str) -> str:
        listed = user.partition("The labels:\n")[2].partition("\n\n")[0]
        names = [line[2:].partition(":")[0] for line in listed.splitlines()]
        return label if label in names else ABSTAIN


class Endpoint:
    """The server; `requests` holds what was sent, `answered` what got a whole answer."""

    def __init__(self, oracle: Oracle, misbehave: Misbehave | None = None) -> None:
        self.oracle, self.misbehave = oracle, misbehave
        self.requests: list[dict[str, Any]] = []
        self.answered: list[dict[str, Any]] = []
        self.statuses: Counter[int] = Counter()
        self.tokens_in = self.tokens_out = self.sent = 0
        self.most_at_once = self._now = 0
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.endpoint = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Endpoint:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def reply(self, body: dict[str, Any], key: str) -> Reply:
        """Answer one request, or misbehave."""
        with self._lock:
            self.requests.append(body)
            number = len(self.requests)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            other = self.misbehave(number, body) if self.misbehave else None
            if key != f"Bearer {KEY}":
                other = Reply(401, b'{"error": {"message": "no such key: %s"}}' % key.encode())
            if isinstance(other, Reply):
                return other
            return self._answer(body, other)
        finally:
            with self._lock:
                self._now -= 1

    def _answer(self, body: dict[str, Any], text: str | None) -> Reply:
        system, user = _told(body)
        said = self.oracle.answer(system, user) if text is None else text
        sent, answered = len(system + user) // 4, len(said) // 4 + 1
        with self._lock:
            self.answered.append(body)
            self.tokens_in += sent
            self.tokens_out += answered
        choice = {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": said},
        }
        usage = {
            "prompt_tokens": sent,
            "completion_tokens": answered,
            "total_tokens": sent + answered,
        }
        about = {"id": "c", "object": "chat.completion", "created": 0, "model": body["model"]}
        return Reply(body=json.dumps({**about, "choices": [choice], "usage": usage}).encode())


def said(content: str | None, finish: str | None = "stop", **more: Any) -> Reply:
    """Return a chat completion as an endpoint might word it; `more` goes into the message."""
    message = {"role": "assistant", "content": content, **more}
    usage = {"prompt_tokens": 10, "completion_tokens": 7, "total_tokens": 17}
    whole = {"choices": [{"message": message, "finish_reason": finish}], "usage": usage}
    return Reply(body=json.dumps(whole).encode())


def _told(body: dict[str, Any]) -> tuple[str, str]:
    """Return system prompt and question, also where both are in one message."""
    first, *others = (message["content"] for message in body["messages"])
    return (first, others[0]) if others else (first, first)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    endpoint: Endpoint

    def handle_error(self, *_: object) -> None:
        """Say nothing of a client that has hung up."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        endpoint = self.server.endpoint
        reply = endpoint.reply(body, self.headers.get("authorization", ""))
        endpoint.statuses[reply.status] += 1
        time.sleep(reply.hang)
        if reply.status == 0:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        head = {"content-type": "application/json"}
        if reply.more is None:
            head["content-length"] = str(len(reply.body))
        else:
            self.close_connection = True
        self.send_response(reply.status)
        for name, value in (head | dict(reply.headers)).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)
        for chunk in reply.more() if reply.more else ():
            endpoint.sent += len(chunk)
            self.wfile.write(chunk)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
