"""Others at a Prefect server's door: pages of other origins, and processes without its secret."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.browser import Page
from tests.serving import Served, basic

NAME = "evil.example"
MAPPED = f"--host-resolver-rules=MAP {NAME} 127.0.0.1"  # a name that somebody else leads here
MARK = "left-by-a-foreign-page"

# What a page tries. It tells what it could read or open; what it changed is asked of the server.
TRIES = """
(async ({api, base, deployment, mark}) => {
  const got = [], json = {'Content-Type': 'application/json'};
  const run = `${api}/deployments/${deployment}/create_flow_run`;
  const body = JSON.stringify({name: mark});
  const steps = JSON.stringify({pull_steps: [{'prefect.deployments.steps.run_shell_script':
    {script: 'touch ' + mark}}], description: mark});
  const each = (name, trial) => Promise.race([
    trial().then(value => { if (value) got.push(name); }, () => {}),
    new Promise(go => setTimeout(go, 20000)),
  ]);
  const read = (url, options) => async () => {
    const reply = await fetch(url, options);
    return reply.type !== 'opaque' && (reply.ok || reply.status === 422);
  };
  const blind = (url, sent, type) => async () => {
    await fetch(url, {method: 'POST', mode: 'no-cors', credentials: 'include',
                      body: type === null ? new Blob([sent]) : new Blob([sent], {type})});
  };
  const socket = (path, protocols, first) => () => new Promise((tell, fail) => {
    const line = new WebSocket(api.replace('http', 'ws') + path, protocols);
    line.onopen = () => first.forEach(each => line.send(JSON.stringify(each)));
    line.onmessage = () => { tell(true); line.close(); };
    line.onclose = line.onerror = fail;
    if (!protocols.length) line.addEventListener('open', () => tell(true));
  });
  const element = (tag, where, url) => () => new Promise((tell, fail) => {
    const made = document.createElement(tag);
    Object.assign(made, {onload: () => tell(true), onerror: fail});
    if (tag === 'link') made.rel = 'stylesheet';
    made[where] = url;
    document.documentElement.append(made);
  });
  const form = type => async () => {
    const frame = Object.assign(document.createElement('iframe'), {name: 'f' + type});
    const sent = Object.assign(document.createElement('form'),
      {method: 'post', action: run, enctype: type, target: frame.name});
    const field = Object.assign(document.createElement('input'),
      {name: `{"name": "${mark}", "x": "`, value: '"}'});
    sent.append(field);
    document.documentElement.append(frame, sent);
    sent.submit();
    await new Promise(go => setTimeout(go, 500));
  };
  const window_ = async () => {
    const other = window.open(base);
    try {
      while (!other.closed && other.location.href === 'about:blank')
        await new Promise(go => setTimeout(go, 50));
      return !other.closed && !other.document.body.innerText.startsWith('found another Host');
    } finally { other.close(); }
  };
  const hello = [{type: 'auth', token: null}, {type: 'filter', filter: {}}];
  const event = {id: crypto.randomUUID?.() ?? '9b7a3a2e-7d5c-4b1a-8d2e-6f0a1b2c3d4e',
    occurred: new Date().toISOString(), event: mark, resource: {'prefect.resource.id': mark},
    payload: {}, related: []};
  await each('PATCH pull_steps', read(`${api}/deployments/${deployment}`,
    {method: 'PATCH', headers: json, body: steps}));
  await Promise.all([
    each('GET version', read(api + '/admin/version')),
    each('GET settings', read(api + '/admin/settings', {credentials: 'include'})),
    each('GET health', read(api + '/health')),
    each('GET UI settings', read(base + '/ui-settings')),
    each('GET UI', read(base + '/')),
    each('GET OpenAPI', read(base + '/openapi.json')),
    each('GET API OpenAPI', read(api + '/openapi.json')),
    each('POST filter', read(api + '/deployments/filter',
      {method: 'POST', headers: json, body: '{}'})),
    each('POST filter, guessed', read(api + '/deployments/filter', {method: 'POST', body: '{}',
      headers: {...json, Authorization: 'Basic ' + btoa('admin:pass')}})),
    each('POST run', read(run, {method: 'POST', headers: json, body})),
    each('POST variable', read(api + '/variables/', {method: 'POST', headers: json,
      body: JSON.stringify({name: 'evil', value: mark})})),
    each('text/plain', blind(run, body, 'text/plain')),
    each('no type', blind(run, body, null)),
    each('form type', blind(run, body, 'application/x-www-form-urlencoded')),
    each('beacon', async () => { navigator.sendBeacon(run, new Blob([body])); }),
    each('events without type', blind(api + '/events', JSON.stringify([event]), null)),
    each('form text/plain', form('text/plain')),
    each('form multipart', form('multipart/form-data')),
    each('socket events in', socket('/events/in', ['prefect'], [hello[0], event])),
    each('socket events in, old', socket('/events/in', [], [event])),
    each('socket events out', socket('/events/out', ['prefect'], hello)),
    each('socket events out, old', socket('/events/out', [], hello.slice(1))),
    each('socket logs', socket('/logs/out', ['prefect'], hello)),
    each('socket logs, old', socket('/logs/out', [], hello.slice(1))),
    each('socket task runs', socket('/task_runs/subscriptions/scheduled', ['prefect'], hello)),
    each('socket workers', socket('/work_pools/default/workers/connect', ['prefect'], hello)),
    each('EventSource', () => new Promise((tell, fail) => {
      const source = new EventSource(api + '/health'); source.onopen = () => tell(true);
      source.onerror = () => { source.close(); fail(); };
    })),
    each('script', element('script', 'src', api + '/health')),
    each('script OpenAPI', element('script', 'src', base + '/openapi.json')),
    each('style', element('link', 'href', base + '/')),
    each('image', element('img', 'src', base + '/ico/favicon-32x32.png')),
    each('window', window_),
  ]);
  await each('DELETE', read(`${api}/deployments/${deployment}`, {method: 'DELETE'}));
  return got;
})"""


@contextmanager
def foreign_site() -> Iterator[int]:
    """Serve an empty page on a port of its own; yield the port."""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>a foreign page</title>")

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    site = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    try:
        yield site.server_port
    finally:
        site.shutdown()
        site.server_close()


def attempt(page: Page, served: Served, deployment: str, host: str = "127.0.0.1") -> list[str]:
    """Let `page` try everything on the server that `served` runs; return what it got.

    host: the name by which the page calls that server.
    """
    api = served.note()["url"].replace("127.0.0.1", host)
    asked = {"api": api, "base": api.removesuffix("/api"), "deployment": deployment, "mark": MARK}
    return list(page.run(f"({TRIES})({json.dumps(asked)})"))


def sign_in(page: Page, secret: str) -> None:
    """Give the secret to Prefect's page, and wait for the dashboard."""
    page.until("document.querySelector('input[type=password]') !== null")
    page.run("document.querySelector('input[type=password]').focus()")
    page.type(secret)
    page.run("document.querySelector('form').requestSubmit()")
    page.until("document.body.innerText.includes('Flow Runs')")


def deployment_of(served: Served, name: str) -> dict[str, Any]:
    """Return the deployment of a flow, as the server has it."""
    found = served.api("deployments/filter", {"flows": {"name": {"any_": [name]}}})
    return dict(found[0])


def changed(served: Served, deployment: dict[str, Any]) -> list[str]:
    """Return what foreigners have changed or left on the server."""
    found = served.api("deployments/filter", {"flows": {"name": {"any_": ["maintain"]}}})
    now = found[0] if found else dict.fromkeys(deployment)
    runs = served.api("flow_runs/filter", {"flow_runs": {"name": {"any_": [MARK]}}})
    variables = served.api("variables/filter", {})
    events = served.api("events/filter", {"filter": {"event": {"name": [MARK]}}})["events"]
    fields = ("pull_steps", "description", "entrypoint", "parameters", "paused", "updated")
    different = [field for field in fields if now[field] != deployment[field]]
    return different + [MARK for _ in (*runs, *events)] + [each["name"] for each in variables]


def status(
    url: str,
    path: str,
    *,
    method: str = "GET",
    host: str | None = None,
    authorization: str | None = None,
    secret: str | None = None,
    body: Any = None,
) -> int:
    """Return the HTTP status that a local process gets."""
    headers = {} if host is None else {"Host": host}
    if authorization is not None or secret is not None:
        headers["Authorization"] = authorization or basic(secret or "")
    data = None if body is None else json.dumps(body).encode()
    if data is not None:
        headers["Content-Type"] = "application/json"
    request = urllib.request.Request(  # noqa: S310  # loopback
        f"{url}/{path}", data, headers, method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code
