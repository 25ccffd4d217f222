"""Pages of other origins, other names for this machine, and processes without the secret."""

import base64
import json
import os
import re
import subprocess
import sys

import pytest

from tests.browser import Browser, in_browser
from tests.foreign import (
    MAPPED,
    NAME,
    attempt,
    changed,
    deployment_of,
    foreign_site,
    sign_in,
    status,
)
from tests.serving import Served, basic, environment
from tests.world import make_world, set_params

pytestmark = [pytest.mark.attack, pytest.mark.server, pytest.mark.timeout(900)]

UUID = "00000000-0000-4000-8000-000000000000"
HOSTS = (
    *("evil.example", "0.0.0.0", "[::1]", "127.0.0.2", "127.1", "2130706433"),  # noqa: S104
    *("localhost.evil.example", "127.0.0.1.evil.example", "user@127.0.0.1", "xn--lcalhost-54a"),
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory, tiny_model):
    """A served workspace; its Prefect server is its own."""
    folder = tmp_path_factory.mktemp("attacked")
    root = make_world(folder / "desk", str(tiny_model))
    set_params(root, serve={"port": 0, "reconcile": 3_600})
    served = Served(root, folder / "log").ready()
    served.wait_until(lambda: "reconcile: done" in served.said(), "first run")
    yield served
    served.end()


@pytest.fixture(scope="module")
def routes(desk):
    """Every route of Prefect's API, as method and path."""
    note = desk.note()
    script = (
        "import json, sys, urllib.request as u; "
        "print(json.dumps(json.load(u.urlopen(u.Request(sys.argv[1], headers="
        "{'Authorization': sys.argv[2]})))['paths']))"
    )
    words = [sys.executable, "-c", script, f"{note['url']}/openapi.json", basic(note["secret"])]
    paths = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    filled = []
    for template, methods in paths.items():
        path = re.sub("{[^}]*}", UUID, template).lstrip("/")
        filled += [(method.upper(), path) for method in methods]
    return filled


@in_browser
@pytest.mark.parametrize("called", ["127.0.0.1", "localhost", NAME])
@pytest.mark.parametrize("site", ["127.0.0.1", "localhost", NAME])
def test_a_page_of_another_origin_gets_nothing(desk, tmp_path, site, called):
    deployment = deployment_of(desk, "maintain")
    with foreign_site() as port, Browser(tmp_path / "profile", MAPPED) as browser:
        page = browser.open(f"http://{site}:{port}/")
        assert attempt(page, desk, deployment["id"], called) == []
    assert changed(desk, deployment) == []


@in_browser
def test_a_name_that_was_led_to_this_machine_gets_nothing_from_its_own_origin(desk, tmp_path):
    deployment = deployment_of(desk, "maintain")
    port = desk.note()["url"].split(":")[2].removesuffix("/api")
    with Browser(tmp_path / "profile", MAPPED) as browser:
        page = browser.open(f"http://{NAME}:{port}/")
        assert "found another Host" in page.run("document.body.innerText")
        assert attempt(page, desk, deployment["id"], NAME) == []
    assert changed(desk, deployment) == []


@in_browser
def test_a_page_beside_its_owners_signed_in_page_gets_nothing(desk, tmp_path):
    deployment, note = deployment_of(desk, "maintain"), desk.note()
    home = note["url"].removesuffix("/api")
    with foreign_site() as port, Browser(tmp_path / "profile", MAPPED) as browser:
        sign_in(browser.open(home), note["secret"])
        for site in ("127.0.0.1", "localhost", NAME):
            page = browser.open(f"http://{site}:{port}/")
            assert attempt(page, desk, deployment["id"]) == []
            frame = (
                "new Promise(go => { const f = document.createElement('iframe');"
                f" f.src = '{home}'; f.onload = () => go(f.contentWindow.length);"
                " document.documentElement.append(f); setTimeout(() => go(0), 3000); })"
            )
            page.run(frame)
            framed = [child["frame"]["url"] for child in page.frames()]
            assert not any(url.startswith(home) for url in framed)
        page = browser.open(home.replace("127.0.0.1", "localhost"))
        page.until("document.body.innerText.includes('Flow Runs')")  # the other name leads there
        assert page.run("location.origin") == home
    assert changed(desk, deployment) == []


def test_no_route_answers_a_process_without_the_secret(desk, routes):
    url, secret = desk.note()["url"], desk.note()["secret"]
    assert len(routes) > 150
    wrong = (
        None,
        basic(""),
        basic(secret[:-1]),
        basic(secret + " "),
        basic("admin:" + secret),
        basic(secret.upper()),
        "Bearer " + secret,
        "Basic " + secret,
        "basic " + base64.b64encode(secret.encode()).decode(),
        "Basic \xff",
    )
    deployment = deployment_of(desk, "maintain")
    answered = [
        (method, path, authorization)
        for method, path in routes
        if path not in ("health", "ready")
        for authorization in wrong
        if status(url, path, method=method, authorization=authorization, body=None) != 401
    ]
    assert answered == []
    assert changed(desk, deployment) == []


@pytest.mark.parametrize(
    "path",
    [
        "health/../admin/version",
        "health/",
        "health%2f..%2fadmin/version",
        "/admin/version",
        "READY",
    ],
)
def test_no_spelling_of_a_path_gets_around_it(desk, path):
    assert status(desk.note()["url"], path) in (400, 401, 404, 307)


def test_no_other_name_reaches_any_route(desk, routes):
    url, secret = desk.note()["url"], desk.note()["secret"]
    port = url.split(":")[2].removesuffix("/api")
    for host in HOSTS:
        for method, path in routes[::10]:
            for name in (host, f"{host}:{port}"):
                assert status(url, path, method=method, host=name, secret=secret) == 400


@pytest.mark.skipif(sys.platform != "linux", reason="needs another user")
def test_another_user_of_this_machine_can_read_no_secret(desk):
    if os.geteuid() != 0:
        pytest.skip("only root can be another user")
    pid = desk.process.pid
    script = (
        "import os, sys; os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "for path in sys.argv[1:]:\n"
        "    try: open(path, 'rb').read()\n"
        "    except PermissionError: print('refused')\n"
        "    else: print('read')\n"
    )
    secret_in = [f"/proc/{pid}/environ", str(desk.root / ".refract" / "server.json")]
    words = [sys.executable, "-c", script, *secret_in]
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["refused"] * len(secret_in)
