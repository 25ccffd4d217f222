"""Where a server answers and by which secret: who may read it, and when it counts."""

import json
import os
import stat
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from flows.runtime.server.server_guard import PROOF, proof
from flows.runtime.server.server_note import Note, answers, known, new_secret, write_note
from tasks.core.workspace.paths import Paths


@pytest.fixture
def listener():
    """A function that makes a program that answers `reply(path)` on a port, and its requests."""
    open_ones = []

    def listen(reply):
        seen = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                seen.append(f"{self.path} {self.headers}")
                self.send_response(200)
                self.end_headers()
                self.wfile.write(reply(self.path).encode())

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        open_ones.append(server)
        return f"http://127.0.0.1:{server.server_port}/api", seen

    yield listen
    for server in open_ones:
        server.shutdown()
        server.server_close()


def honest(secret):
    return lambda path: proof(secret, path.removeprefix(f"{PROOF}?of="))


@pytest.fixture
def noted(tmp_path, listener):
    """A workspace with the note of a server that answers."""
    paths, secret = Paths(tmp_path / "desk"), new_secret()
    url, _ = listener(honest(secret))
    write_note(paths, paths.server_note, Note(url, secret))
    return paths, Note(url, secret)


def test_a_note_is_for_its_owner_alone_whatever_the_umask(tmp_path):
    paths, before = Paths(tmp_path), os.umask(0)
    try:
        write_note(paths, paths.server_note, Note("http://127.0.0.1:1/api", "first"))
        write_note(paths, paths.server_note, Note("http://127.0.0.1:1/api", "second"))
    finally:
        os.umask(before)
    assert stat.S_IMODE(paths.server_note.stat().st_mode) == 0o600
    assert json.loads(paths.server_note.read_text())["secret"] == "second"
    assert list(paths.state.iterdir()) == [paths.server_note]


def test_a_note_is_never_for_others_while_it_is_written(tmp_path, monkeypatch):
    modes, made = [], os.open

    def watched(path, flags, mode=0o777, **more):
        handle = made(path, flags, mode, **more)
        if flags & os.O_CREAT:
            modes.append((flags & os.O_EXCL, stat.S_IMODE(os.fstat(handle).st_mode)))
        return handle

    monkeypatch.setattr(os, "open", watched)
    paths = Paths(tmp_path)
    write_note(paths, paths.server_note, Note("http://127.0.0.1:1/api", "word"))
    assert modes == [(os.O_EXCL, 0o600)]


def test_secrets_differ_and_their_notes_do_not_show_them():
    first, second = new_secret(), new_secret()
    assert first != second
    assert len(first) == 64
    assert first not in repr(Note("http://127.0.0.1:1/api", first))


def test_the_server_of_a_note_is_known_while_it_answers(noted):
    paths, note = noted
    assert known(paths, paths.server_note) == note
    assert known(paths, paths.private_note) is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602, 0o644])
def test_a_note_that_others_can_read_or_write_does_not_count_and_this_is_said(noted, mode, capsys):
    paths, _ = noted
    paths.server_note.chmod(mode)
    assert known(paths, paths.server_note) is None
    said = capsys.readouterr().err
    assert f"mode {mode:o}; expected {os.geteuid()} and 600" in said
    assert said.count("\n") == 1


def test_a_note_behind_a_link_does_not_count(noted):
    paths, _ = noted
    elsewhere = paths.server_note.rename(paths.root / "elsewhere.json")
    paths.server_note.symlink_to(elsewhere)
    assert known(paths, paths.server_note) is None


def test_the_note_of_a_copied_workspace_is_not_its_own(noted, tmp_path):
    paths, _ = noted
    copy = Paths(paths.root.rename(tmp_path / "copy"))
    assert known(copy, copy.server_note) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example:4200/api",
        "https://127.0.0.1:4200/api",
        "http://127.0.0.1:4200@evil.example/api",
        "http://127.0.0.1:4200/api\n",
        "http://127.0.0.1:4200/other",
        "file:///etc/passwd",
        7,
        None,
    ],
)
def test_a_note_names_this_machine_or_does_not_count(tmp_path, url, monkeypatch):
    paths = Paths(tmp_path)
    write_note(paths, paths.server_note, Note(url, "word"))
    monkeypatch.setattr("flows.runtime.server.server_note.answers", lambda note: True)
    assert known(paths, paths.server_note) is None


@pytest.mark.parametrize("content", ["", "[]", "{", '{"url": 1}', "null", "\udcff", "[" * 5_000])
def test_a_damaged_note_does_not_count(tmp_path, content):
    paths = Paths(tmp_path)
    paths.state.mkdir()
    with open(paths.server_note, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
        f.write(content.encode("utf-8", "surrogateescape"))
    assert known(paths, paths.server_note) is None


@pytest.mark.parametrize("reply", [lambda path: "true", lambda path: path, honest("guessed")])
def test_another_program_at_that_port_is_not_told_the_secret(tmp_path, listener, reply):
    paths, secret = Paths(tmp_path), new_secret()
    url, seen = listener(reply)
    write_note(paths, paths.server_note, Note(url, secret))
    assert known(paths, paths.server_note) is None
    assert len(seen) == 1
    assert secret not in seen[0]
    assert "authorization" not in seen[0].lower()


def test_a_proxy_is_not_asked(noted, listener, monkeypatch):
    _, note = noted
    proxy, seen = listener(lambda path: "")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.removesuffix("/api"))
    assert answers(note)
    assert seen == []
