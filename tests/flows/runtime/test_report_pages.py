"""Reports by http: who may see which, and what a page there can do."""

import asyncio

import pytest

from flows.runtime.server.report_pages import REPORTS, ReportPages, report_link, with_reports
from flows.runtime.server.server_guard import proof
from tasks.core.workspace.paths import Paths

SECRET = "5ec2e7"


def ask(app, path, query="", method="GET"):
    """Return status, headers and body of an answer."""
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "query_string": query.encode()}
    asyncio.run(app(scope, None, send))
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"].decode()


async def prefect(scope, receive, send):
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b"Prefect's"})


@pytest.fixture
def link(monkeypatch):
    """Path and query of a view's report, as a flow run leaves them."""
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:4321/api")
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", SECRET)
    monkeypatch.setenv(REPORTS, "somewhere")

    def made(name):
        page = report_link(name)
        assert page.startswith("http://127.0.0.1:4321/")
        return page.removeprefix("http://127.0.0.1:4321").split("?")

    return made


def test_a_report_is_only_looked_at(tmp_path, link):
    app = ReportPages(prefect, SECRET, tmp_path)
    report = Paths(tmp_path).report("mood")
    report.parent.mkdir(parents=True)
    report.write_text("a page")
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        status, headers, said = ask(app, *link("mood"), method)
        assert (status, headers[b"allow"], said) == (405, b"GET, HEAD", "")
    assert ask(app, *link("mood"), "HEAD")[::2] == (200, "")
    assert ask(app, *link("mood"))[::2] == (200, "a page")


def test_a_link_opens_its_report_and_no_other(tmp_path, link):
    app = ReportPages(prefect, SECRET, tmp_path)
    report = Paths(tmp_path).report("mood")
    path, query = link("mood")
    status, _, said = ask(app, path, query)
    assert status == 404
    assert "no report of 'mood' yet; run 'refract report mood' in" in said
    report.parent.mkdir(parents=True)
    report.write_text("<p>é", "utf-8")
    status, headers, said = ask(app, path, query)
    assert (status, said) == (200, "<p>é")
    assert headers[b"content-type"] == b"text/html; charset=utf-8"
    other, _ = link("topic")
    for at, key in [(path, ""), (path, "key="), (path, "key=é"), (other, query), (path, "key=0")]:
        status, _, said = ask(app, at, key)
        assert (status, "expected the link of a run" in said) == (403, True)
    assert ask(ReportPages(prefect, "another", tmp_path), path, query)[0] == 403


def test_what_the_server_proves_opens_no_report(tmp_path, link):
    app, (path, _) = ReportPages(prefect, SECRET, tmp_path), link("mood")
    for question in ("mood", "report mood", ""):
        assert ask(app, path, f"key={proof(SECRET, question)}")[0] == 403


def test_a_page_has_no_origin_and_reaches_nothing(tmp_path, link):
    policy = ask(ReportPages(prefect, SECRET, tmp_path), *link("mood"))[1][
        b"content-security-policy"
    ]
    assert b"sandbox allow-scripts" in policy
    assert b"allow-same-origin" not in policy
    assert b"default-src 'none'" in policy


def test_everything_else_is_prefects(tmp_path, monkeypatch):
    app = ReportPages(prefect, SECRET, tmp_path)
    assert ask(app, "/api/health")[0] == 204
    monkeypatch.delenv(REPORTS, raising=False)
    assert with_reports(prefect, SECRET) is prefect
    assert report_link("mood") is None
