"""Who may speak to the Prefect server of a workspace: this machine by name, and its own pages.

Prefect asks for the secret; this stands before it and refuses what a browser sends on behalf of
other pages. A page of another site whose name leads to 127.0.0.1 shows in `Host` (DNS rebinding),
any other page in `Origin` or `Sec-Fetch-Site`, which no script can forge.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any
from urllib.parse import parse_qs

HOST = "127.0.0.1"
STOP = "/refract/stop"  # who posts here with the secret ends the server
PROOF = "/refract/proof"  # who answers here with `proof` knows the secret, and has not been told it
AUTH = "PREFECT_SERVER_API_AUTH_STRING"  # the environment variable that Prefect's server reads

_CLOSED = (
    STOP,
    "/docs",
    "/redoc",
    "/openapi.json",
)  # FastAPI's pages: Prefect leaves them open
_FOREIGN = (b"cross-site", b"same-site")  # another port of this machine is the "same site"
HARDENED = (
    (b"x-frame-options", b"DENY"),  # a page that is signed in, framed by another, could be clicked
    (b"content-security-policy", b"frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]
Headers = tuple[tuple[bytes, bytes], ...]


def proof(secret: str, question: str) -> str:
    """Return what only someone who knows `secret` can answer to `question`."""
    return hmac.new(secret.encode(), f"refract {question}".encode(), hashlib.sha256).hexdigest()


def asked_for_proof(scope: Any, secret: str) -> str:
    """Return the proof that this request to `PROOF` asks for."""
    question = parse_qs(scope["query_string"].decode("latin-1")).get("of", [""])[0]
    return proof(secret, question)


def foreign(
    scope: Any, hosts: Collection[bytes], origins: Collection[bytes]
) -> tuple[int, str] | None:
    """Return status and reason if a request was sent to another name, or by another page."""
    headers = scope["headers"]
    if all_of(headers, b"host") not in [[host] for host in hosts]:
        expected = " or ".join(host.decode() for host in hosts)
        return 400, f"found another Host; expected {expected}; open that address"
    if any(origin not in origins for origin in all_of(headers, b"origin")):
        return 403, "found a page of another origin; expected one of this server"
    sites = all_of(headers, b"sec-fetch-site")
    if any(site in _FOREIGN for site in sites) and not opens_a_page(scope):
        return 403, "found a request of another page; expected one of this server"
    return None


class Guard:
    """An ASGI application that lets through to `app` what was meant for it."""

    def __init__(self, app: App, port: int, secret: str, stop: Callable[[], None]) -> None:
        """Guard `app` at `port`; `stop` is called when who knows the secret asks for it."""
        self._app, self._secret, self._stop = app, secret, stop
        self._hosts = [f"{HOST}:{port}".encode(), f"localhost:{port}".encode()]
        self._origin = b"http://" + self._hosts[0]
        self._credentials = b"Basic " + base64.b64encode(secret.encode())

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Hand one request on, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await _refuse(scope, send, *refusal)
        elif scope["type"] == "http" and scope["path"] == PROOF:
            await _answer(send, 200, asked_for_proof(scope, self._secret))
        elif scope["type"] == "http" and (scope["path"], scope["method"]) == (STOP, "POST"):
            await _answer(send, 200, "stopping")
            self._stop()
        elif self._by_its_other_name(scope):
            await _answer(send, 307, "", (b"location", self._origin + b"/"))
        else:
            await self._app(scope, receive, hardened(send, HARDENED))

    def _refusal(self, scope: Any) -> tuple[int, str] | None:
        """Return status and reason if this request is not for `app`."""
        refusal = foreign(scope, self._hosts, [self._origin])
        if refusal is None and scope["path"].startswith(_CLOSED):
            given = all_of(scope["headers"], b"authorization")
            if len(given) != 1 or not hmac.compare_digest(given[0], self._credentials):
                return 401, "Unauthorized"
        return refusal

    def _by_its_other_name(self, scope: Any) -> bool:
        """Tell whether the page is opened as `localhost`: it calls the API by its first name."""
        own = all_of(scope["headers"], b"host") == [self._hosts[0]]
        return not own and opens_a_page(scope) and not scope["path"].startswith("/api")


def opens_a_page(scope: Any) -> bool:
    """Tell whether somebody follows a link to here: a whole page, which its origin cannot read."""
    headers = scope["headers"]
    return (
        scope["type"] == "http"
        and scope["method"] in ("GET", "HEAD")
        and all_of(headers, b"sec-fetch-mode") == [b"navigate"]
        and all_of(headers, b"sec-fetch-dest") == [b"document"]
    )


def all_of(headers: Any, name: bytes) -> list[bytes]:
    """Return the values of all headers of this name, which is in lower case."""
    return [value for key, value in headers if key.lower() == name]


async def _refuse(scope: Any, send: Send, status: int, reason: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})  # before it is accepted: HTTP 403
    else:
        await _answer(send, status, reason)


async def _answer(send: Send, status: int, text: str, *more: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *HARDENED, *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


def hardened(send: Send, headers: Headers) -> Send:
    """Return `send`, which adds `headers` to every answer."""

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *headers]
        await send(message)

    return with_headers
