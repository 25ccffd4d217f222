"""The reports of a workspace, by http beside the Prefect UI of `refract serve`.

A link there opens one page: it carries a key of its own, which opens nothing else, and ends with
the server. A page is no part of the UI's origin: whatever it holds, it cannot use what the browser
knows there.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from tasks.core.workspace.errors import InputError
from tasks.core.workspace.instruction_name import check_name
from tasks.core.workspace.paths import Paths

REPORTS = "REFRACT_REPORTS"  # environment variable: the workspace whose reports the server shows
PREFIX = "/refract/report/"
METHODS = ("GET", "HEAD")  # a page is only looked at

_HEADERS = (
    # The page is whole in itself, scripts and pictures included; `sandbox` gives it no origin.
    (
        b"content-security-policy",
        b"sandbox allow-scripts allow-downloads; default-src 'none'; img-src data:;"
        b" script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'",
    ),
    (b"referrer-policy", b"no-referrer"),  # the address has the key in it
    (b"cache-control", b"no-store"),
)


def report_link(name: str) -> str | None:
    """Return where this flow run's server shows the report of view `name`; None if it does not."""
    url, secret = os.environ.get("PREFECT_API_URL"), os.environ.get("PREFECT_API_AUTH_STRING")
    if REPORTS not in os.environ or not url or not secret:
        return None
    return f"{url.removesuffix('/api')}{PREFIX}{check_name(name)}?key={_key(secret, name)}"


def with_reports(app: Any, secret: str) -> Any:
    """Return `app`, with the reports of the workspace that the environment names, if any."""
    root = os.environ.get(REPORTS)
    return app if root is None else ReportPages(app, secret, Path(root))


class ReportPages:
    """An ASGI application that shows reports, and leaves everything else to `app`."""

    def __init__(self, app: Any, secret: str, root: Path) -> None:
        self._app, self._secret, self._paths = app, secret, Paths(root)

    async def __call__(
        self, scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]
    ) -> None:
        """Answer one request, or hand it on."""
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        if scope["method"] not in METHODS:
            headers = [(b"allow", b", ".join(each.encode() for each in METHODS)), *_HEADERS]
            await send({"type": "http.response.start", "status": 405, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        keys = parse_qs(scope["query_string"].decode("latin-1")).get("key", [])
        status, kind, body = self._answer(scope["path"].removeprefix(PREFIX), keys)
        headers = [(b"content-type", kind), *_HEADERS]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        shown = b"" if scope["method"] == "HEAD" else body
        await send({"type": "http.response.body", "body": shown})

    def _answer(self, name: str, keys: list[str]) -> tuple[int, bytes, bytes]:
        plain, page = b"text/plain; charset=utf-8", b"text/html; charset=utf-8"
        expected = _key(self._secret, name)
        if len(keys) != 1 or not hmac.compare_digest(keys[0].encode(), expected.encode()):
            return (
                403,
                plain,
                (
                    b"found no key of this server; expected the link of a run since 'refract serve'"
                    b" was started; open the newest one, or the page in data/reports"
                ),
            )
        try:
            return 200, page, self._paths.report(check_name(name)).read_bytes()
        except (InputError, OSError):
            said = f"there is no report of {name!r} yet; run 'refract report {name}' in"
            said += f" {self._paths.root.resolve()}, then load this page again"
            return 404, plain, said.encode("utf-8", "replace")


def _key(secret: str, name: str) -> str:
    """Return what opens one report; no answer to `server_guard.proof` begins like this one."""
    return hmac.new(secret.encode(), f"report {name}".encode(), hashlib.sha256).hexdigest()
