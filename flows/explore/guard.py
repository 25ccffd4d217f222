"""Who may speak to `refract explore`: programs with its token, and a page that has signed in.

A link with the token, or the form that asks for it, gives the browser a cookie; from then on the
token is in no address. What pages of others send is refused as by the Prefect server's guard.
"""

from __future__ import annotations

import hmac
from html import escape
from typing import Any
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)

from flows.explore.keys import Address, Keys
from flows.runtime.server.server_guard import (
    HARDENED,
    PROOF,
    App,
    Message,
    Receive,
    Send,
    all_of,
    asked_for_proof,
    foreign,
    hardened,
    opens_a_page,
)

SIGN_IN = "/sign-in"
_STEP = "/sign-in.js"
_LONGEST = 4_096  # bytes of a form with a token
_MOST = 32 << 20  # bytes that may be posted: 10,000 labels, each with a text of 3,000 characters
POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'"
)
_HEADERS = (
    *(pair for pair in HARDENED if pair[0] != b"content-security-policy"),
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)
_HEAD = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Refract</title>'
_FORM = (
    _HEAD
    + """<meta name="viewport" content="width=device-width"></head><body><main>
<h1>Refract</h1>
<p role="alert">{told}</p>
<form method="post" action="/sign-in">
<label>Token <input name="token" type="password" autocomplete="off" required autofocus></label>
<button>Sign in</button>
</form></main></body></html>
"""
)
_ONWARD = _HEAD + '<script src="/sign-in.js"></script></head></html>'
_SCRIPT = 'location.replace("/?" + location.hash);'


class Guard:
    """An ASGI application that lets through to `app` what was meant for it."""

    def __init__(self, app: App, address: Address, keys: Keys) -> None:
        """Guard `app` at `address`, for those who have one of `keys`."""
        self._app, self._address, self._keys = app, address, keys
        self._own = address.url.encode()
        self._hosts = [self._own.removeprefix(b"http://"), f"localhost:{address.port}".encode()]
        self._cookie = f"refract-{address.port}"  # browsers send one to all ports of a host

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Hand one request on, or answer it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})  # there is none: HTTP 403
        else:
            answer = await self._answer(Request(scope, receive)) or self._app
            await answer(scope, _bounded(receive), hardened(send, _HEADERS))

    async def _answer(self, request: Request) -> Response | None:
        """Return what to answer without the application; None for a request that it is to have."""
        refusal = self._foreign(request.scope)
        if refusal is not None:
            return JSONResponse({"detail": refusal[1]}, refusal[0])
        if request.scope["path"] == PROOF:
            return PlainTextResponse(asked_for_proof(request.scope, self._keys.secret))
        if self._by_its_other_name(request.scope):
            return RedirectResponse(self._own.decode() + _target(request.scope), 307)
        return await self._signing_in(request) or self._unknown(request)

    def _foreign(self, scope: Any) -> tuple[int, str] | None:
        """Return status and reason if another page has sent a request, or to another name.

        Beyond this machine the service does not know its names: what names it is its own, as a
        browser keeps the cookies of one name from another.
        """
        if self._address.local:
            return foreign(scope, self._hosts, [self._own])
        own = all_of(scope["headers"], b"host")[:1] or [b"an address"]
        return foreign(scope, own, [b"http://" + own[0], b"https://" + own[0]])

    def _by_its_other_name(self, scope: Any) -> bool:
        """Tell whether a page is opened as `localhost`: cookies are of the first name."""
        own = all_of(scope["headers"], b"host") == self._hosts[:1]
        return self._address.local and not own and opens_a_page(scope)

    async def _signing_in(self, request: Request) -> Response | None:
        """Return the answer to who gives a token for a cookie; None for any other request."""
        place = request.method, request.scope["path"]
        if place == ("GET", _STEP):
            return Response(_SCRIPT, media_type="text/javascript")
        if place == ("POST", SIGN_IN):
            token = _token(await _body(request))
        elif place == ("GET", "/") and "token" in request.query_params:
            token = _token(request.scope["query_string"])
        else:
            return None
        if not self._keys.sign_in(token):
            return _form("That is not the token of this 'refract explore'.")
        elsewhere = _came_from_elsewhere(request.scope)
        answer = HTMLResponse(_ONWARD) if elsewhere else RedirectResponse("/", 303)
        answer.set_cookie(self._cookie, self._keys.cookie, httponly=True, samesite="strict")
        return answer

    def _unknown(self, request: Request) -> Response | None:
        """Return the refusal of a request that nothing opens; None where something does."""
        if self._is_open(request):
            return None
        if request.scope["path"] == "/" and _came_from_elsewhere(request.scope):
            return HTMLResponse(_ONWARD)
        if request.scope["path"] == "/" or opens_a_page(request.scope):
            return _form("Whoever starts 'refract explore' is told the token.")
        told = "found no token of this service; expected 'Authorization: Bearer TOKEN'"
        return JSONResponse({"detail": told}, 401, {"WWW-Authenticate": "Bearer"})

    def _is_open(self, request: Request) -> bool:
        given = request.headers.getlist("authorization")
        if given:
            kind, _, token = given[0].partition(" ")
            return len(given) == 1 and kind.lower() == "bearer" and self._keys.open(token.strip())
        cookie = request.cookies.get(self._cookie, "")
        return hmac.compare_digest(cookie.encode(), self._keys.cookie.encode())


def _bounded(receive: Receive) -> Receive:
    """Return `receive`, which refuses a body that is more than labels."""
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > _MOST:
            told = f"body: found more than {_MOST:,} bytes; expected fewer; post rows in parts"
            raise HTTPException(413, told)
        return message

    return bounded


def _came_from_elsewhere(scope: Any) -> bool:
    """Tell whether a link on a page of others led here.

    A browser sends no strict cookie then; a step of our own page from here on has it.
    """
    sites = all_of(scope["headers"], b"sec-fetch-site")
    return any(site in (b"cross-site", b"same-site") for site in sites)


def _target(scope: Any) -> str:
    query = scope["query_string"].decode("latin-1")
    path: str = scope["raw_path"].decode("latin-1")
    path = f"/{path.lstrip('/')}"  # no other host, whoever writes requests by hand
    return f"{path}?{query}" if query else path


def _token(form: bytes) -> str:
    """Return the one token in a form or query; '' where there are several, or none."""
    found = parse_qs(form.decode("latin-1")).get("token", [])
    return found[0].strip() if len(found) == 1 else ""


async def _body(request: Request) -> bytes:
    """Return the body of a request; b'' for one that is too long to hold a token."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LONGEST:
            return b""
    return body


def _form(told: str) -> Response:
    return HTMLResponse(_FORM.format(told=escape(told)), 401)
