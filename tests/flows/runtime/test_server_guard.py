"""Who gets through to a Prefect server of this machine."""

import asyncio
import base64

import pytest

from flows.runtime.server.server_guard import PROOF, Guard, proof

SECRET = "s3cret"
OWN = "127.0.0.1:4200"
PAGE = {"sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}


def ask(path="/api/flows/filter", method="POST", kind="http", hosts=(OWN,), query="", **headers):
    """Return the messages that a request leads to; what gets through is answered with 200."""
    sent = []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message):
        sent.append(message)

    pairs = [(b"host", host.encode()) for host in hosts]
    pairs += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": kind, "path": path, "headers": pairs, "query_string": query.encode()}
    if kind == "http":
        scope["method"] = method
    asyncio.run(Guard(app, 4200, SECRET, lambda: None)(scope, None, send))
    return sent


def status(*arguments, **options):
    return ask(*arguments, **options)[0]["status"]


@pytest.mark.parametrize("host", ["127.0.0.1:4200", "localhost:4200"])
def test_this_machine_by_name_and_the_servers_own_pages_get_through(host):
    assert status(hosts=[host]) == 200
    own = {"origin": f"http://{OWN}", "sec_fetch_site": "same-origin"}
    assert status(hosts=[host], **own) == 200
    assert status(kind="websocket", hosts=[host], **own) == 200


@pytest.mark.parametrize(
    "hosts",
    [
        ["evil.example:4200"],
        ["evil.example"],
        ["127.0.0.1:4201"],
        ["127.0.0.1"],
        ["0.0.0.0:4200"],  # as browsers may spell this machine
        ["[::1]:4200"],
        ["127.0.0.1:4200.evil.example"],
        ["localhost.evil.example:4200"],
        ["127.0.0.1:4200", "evil.example"],
        [""],
        [],
    ],
)
def test_another_host_is_refused(hosts):
    assert status(hosts=hosts) == 400
    assert status("/", "GET", hosts=hosts) == 400
    assert ask(kind="websocket", hosts=hosts)[0]["type"] == "websocket.close"


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "https://127.0.0.1:4200",
        "http://127.0.0.1:4201",
        "http://127.0.0.1",
        "http://localhost:4200",
        "http://127.0.0.1:4200.evil.example",
        "null",
        "",
    ],
)
def test_a_page_of_another_origin_is_refused(origin):
    assert status(origin=origin) == 403
    assert status("/api/health", "GET", origin=origin) == 403
    assert ask(kind="websocket", origin=origin)[0]["type"] == "websocket.close"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_a_page_fetches_from_elsewhere_is_refused_and_a_link_opens(site):
    for dest in ("script", "image", "iframe", "empty"):
        sent = {"sec_fetch_site": site, "sec_fetch_mode": "no-cors", "sec_fetch_dest": dest}
        assert status("/", "GET", **sent) == 403
    link = {"sec_fetch_site": site, **PAGE}
    assert status("/", "GET", **link) == 200
    assert status("/", "POST", **link) == 403
    assert status("/", "GET", **link | {"sec_fetch_dest": "iframe"}) == 403


def test_its_page_opened_as_localhost_leads_to_the_one_that_may_call_its_api():
    first = ask("/v2/dashboard", "GET", hosts=["localhost:4200"], **PAGE)[0]
    assert first["status"] == 307
    assert dict(first["headers"])[b"location"] == b"http://127.0.0.1:4200/"
    assert status("/v2/dashboard", "GET", **PAGE) == 200
    assert status("/api/health", "GET", hosts=["localhost:4200"], **PAGE) == 200


@pytest.mark.parametrize("path", ["/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json"])
def test_pages_that_prefect_leaves_open_ask_for_the_secret(path):
    assert status(path, "GET") == 401
    wrong, right = (base64.b64encode(word.encode()).decode() for word in ("s3cres", SECRET))
    assert status(path, "GET", authorization=f"Basic {wrong}") == 401
    assert status(path, "GET", authorization=f"Bearer {right}") == 401
    assert status(path, "GET", authorization=f"Basic {right}") == 200


def test_no_page_may_frame_what_it_answers():
    headers = dict(ask("/", "GET")[0]["headers"])
    assert headers[b"x-frame-options"] == b"DENY"
    assert headers[b"content-security-policy"] == b"frame-ancestors 'none'"
    assert b"access-control-allow-origin" not in headers


def test_it_proves_that_it_knows_the_secret_without_telling_it():
    start, body = ask(PROOF, "GET", query="of=abc")
    assert start["status"] == 200
    assert body["body"].decode() == proof(SECRET, "abc") != proof(SECRET, "abd")
    assert SECRET not in str(body)
    assert proof("other", "abc") != proof(SECRET, "abc")
