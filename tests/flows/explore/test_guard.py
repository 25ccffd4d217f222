"""Who may speak to the service, and what everybody else is told."""

import signal
import stat
from urllib.parse import quote

import pytest

from flows.runtime.server.server_note import known
from flows.state.trust import reaches
from tasks.core.workspace.paths import Paths
from tests.commands import refract, refused
from tests.exploring import Explored
from tests.world import set_params

EVERYWHERE = "0.0.0.0"  # noqa: S104  # what the tests are about
PAGE = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


def test_without_a_token_nothing_is_told(explored):
    for path in ("/views", "/views/mood", "/openapi.json", "/docs", "/page/index.html", "/no/such"):
        reply = explored.get(path, token=None)
        assert reply.status == 401, path
        assert "expected 'Authorization: Bearer TOKEN'" in reply.detail
    assert b"corpus" not in explored.get("/", token=None).body


@pytest.mark.parametrize("token", ["", "x", "Bearer", "ä" * 64, "0" * 64])
def test_another_token_is_refused(explored, token):
    assert explored.get("/views", token=token).status == 401
    assert explored.ask("GET", f"/?token={quote(token)}", {}).status == 401


def test_the_token_opens_it(explored):
    assert explored.get("/views").status == 200


def test_a_link_with_the_token_gives_a_cookie_that_no_script_reads(explored):
    reply = explored.ask("GET", f"/?token={explored.token}", {})
    assert (reply.status, reply.headers["location"]) == (303, "/")
    cookie = reply.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Path=/" in cookie
    assert explored.token not in cookie
    signed = {"Cookie": cookie.partition(";")[0]}
    assert explored.ask("GET", "/views", signed).status == 200
    assert b"<title>Refract</title>" in explored.ask("GET", "/", signed).body
    wrong = signed | {"Authorization": "Bearer x"}
    assert explored.ask("GET", "/views", wrong).status == 401


def test_the_form_asks_for_the_token_and_takes_it(explored):
    reply = explored.ask("GET", "/", PAGE)
    assert reply.status == 401 and b'name="token"' in reply.body
    body = f"token={explored.token}".encode()
    own = {"Origin": explored.url, "Content-Type": "application/x-www-form-urlencoded"}
    assert explored.ask("POST", "/sign-in", own, body).status == 303
    assert explored.ask("POST", "/sign-in", own, b"token=" + b"x" * 100_000).status == 401
    assert explored.ask("POST", "/sign-in", own, body + b"&token=x").status == 401


def test_a_link_on_another_page_leads_to_one_step_more(explored):
    elsewhere = PAGE | {"Sec-Fetch-Site": "cross-site"}
    reply = explored.ask("GET", f"/?token={explored.token}", elsewhere)
    assert reply.status == 200 and "set-cookie" in reply.headers
    assert b'src="/sign-in.js"' in reply.body
    assert explored.ask("GET", "/", elsewhere).body == reply.body  # it may have signed in before
    assert explored.ask("GET", "/", PAGE | {"Sec-Fetch-Site": "same-origin"}).status == 401


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", EVERYWHERE, "[::1]", ""])
def test_another_host_is_refused(explored, host):
    port = explored.url.rpartition(":")[2]
    for name in (host, f"{host}:{port}"):
        if name == explored.host:
            continue
        headers = {"Host": name, "Authorization": f"Bearer {explored.token}"}
        assert explored.ask("GET", "/views", headers).status == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    ],
)
def test_pages_of_others_are_refused_whatever_they_know(explored, headers):
    known = {"Authorization": f"Bearer {explored.token}"} | headers
    assert explored.ask("GET", "/views", known).status == 403
    assert (
        explored.ask("POST", "/sign-in", known, b"token=" + explored.token.encode()).status == 403
    )


def test_the_other_name_of_this_machine_leads_to_the_first(explored):
    port = explored.url.rpartition(":")[2]
    reply = explored.ask("GET", "/?view=mood", PAGE | {"Host": f"localhost:{port}"})
    assert (reply.status, reply.headers["location"]) == (307, f"{explored.url}/?view=mood")


def test_no_answer_may_be_framed_or_run_what_is_not_its_own(explored):
    for path in ("/", "/views", "/nothing"):
        headers = explored.get(path).headers
        policy = headers["content-security-policy"].split("; ")
        allowed = dict(part.split(" ", 1) for part in policy)
        assert allowed.pop("default-src") == allowed.pop("form-action") == "'self'"
        assert set(allowed) == {"object-src", "base-uri", "frame-ancestors"}
        assert set(allowed.values()) == {"'none'"}
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    "path",
    [
        "/page/../app.py",
        "/page/%2e%2e/app.py",
        "/page/..%2fapp.py",
        "/page//etc/passwd",
        "/page/%00",
        "/page/vendor/../../keys.py",
        "/page/",
        "/page/INDEX.HTML",
    ],
)
def test_a_name_that_is_no_file_of_the_page_leads_nowhere(explored, path):
    assert explored.get(path).status == 404


def test_the_note_is_for_its_owner_alone_and_goes_with_the_service(made, tmp_path):
    served = Explored(made, tmp_path / "log")
    note = Paths(made).explore_note
    try:
        assert served.get("/views").status == 200  # the note is written once it answers
        assert stat.S_IMODE(note.stat().st_mode) == 0o600
        found = known(Paths(made), note)
        assert found is not None and (found.url, found.secret) == (served.url, served.token)
        assert served.url in refract(made, "explore").out  # a second one tells where the first is
        assert served.stop(signal.SIGINT) == 0
    finally:
        served.end()
    assert not note.exists()
    assert "Traceback" not in served.said()


def test_other_machines_are_heard_only_with_a_token_of_the_users(made):
    set_params(made, serve={"host": EVERYWHERE, "explore_port": 0})
    assert "expected serve.token_env beside it" in refused(made, "explore")
    set_params(made, serve={"token_env": "SHOP_TOKEN"})
    assert "expected a token of 16 or more" in refused(made, "explore")
    assert "16 or more" in refused(made, "explore", "--port", "0")


def test_a_workspace_that_would_be_heard_by_others_is_asked_about(made):
    assert not reaches(Paths(made), ("listening",))
    set_params(made, serve={"host": EVERYWHERE, "token_env": "SHOP_TOKEN"})
    host, token = (reach.says for reach in reaches(Paths(made), ("listening",)))
    assert EVERYWHERE in host and "SHOP_TOKEN" in token


@pytest.mark.parametrize("name", ["AWS_SECRET_ACCESS_KEY", "HOME", "GITHUB_DEPLOY_TOKEN"])
def test_the_token_is_no_other_secret_of_the_environment(made, name):
    text = Paths(made).params.read_text("utf-8").replace("token_env: null", f"token_env: {name}")
    Paths(made).params.write_text(text, "utf-8")
    assert "serve.token_env: must be the name" in refused(made, "explore")


def test_the_users_token_opens_it_under_any_name(made, tmp_path):
    set_params(made, serve={"host": EVERYWHERE, "token_env": "SHOP_TOKEN"})
    served = Explored(made, tmp_path / "log", SHOP_TOKEN="correct horse battery staple")
    try:
        given = {"Authorization": "Bearer correct horse battery staple", "Host": "shop.example"}
        assert served.ask("GET", "/views", given).status == 200
        assert served.ask("GET", "/views", given | {"Origin": "http://evil.example"}).status == 403
        assert served.ask("GET", "/views", given | {"Origin": "https://shop.example"}).status == 200
        assert served.ask("GET", "/views", {"Host": "shop.example"}).status == 401
        assert "horse" not in served.said()
        assert "horse" not in Paths(made).explore_note.read_text("utf-8")
    finally:
        served.end()


def test_a_port_that_is_taken_is_one_line(made, explored):
    port = explored.url.rpartition(":")[2]
    assert "expected a free port" in refused(made, "explore", "--port", port)
