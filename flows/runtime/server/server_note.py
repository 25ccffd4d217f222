"""Where a server of this workspace answers, and its secret: for this user's eyes alone."""

from __future__ import annotations

import base64
import hmac
import json
import os
import re
import secrets
import socket
import stat
import sys
import time
import urllib.request
from contextlib import suppress
from dataclasses import asdict, dataclass
from http.client import HTTPException
from pathlib import Path

from flows.runtime.server.server_guard import PROOF, STOP, proof
from tasks.core.workspace.files import as_json, write_bytes
from tasks.core.workspace.paths import Paths

_OURS = re.compile(r"http://(\[[0-9a-f:.]+\]|[0-9.]+):[0-9]{1,5}(/api)?")
_ENDED = 15.0  # seconds to wait for a server that was asked to end


@dataclass(frozen=True)
class Note:
    """The address of a server, of Prefect's its API, and the secret that it asks for.

    made_by: names the programs and settings that it runs by, where somebody else may reuse it.
    """

    url: str
    secret: str
    made_by: str = ""

    def __repr__(self) -> str:
        return f"Note({self.url})"


def new_secret() -> str:
    """Return 256 random bits, to be selected by one double click."""
    return secrets.token_hex(32)


def write_note(paths: Paths, file: Path, note: Note) -> None:
    """Replace `file` by the note; there is no moment in which anyone else could read it."""
    content = asdict(note) | {"workspace": str(paths.root.resolve())}
    write_bytes(file, as_json(content), private=True)


def forget(paths: Paths, file: Path, note: Note) -> None:
    """Remove `file` if it holds this note, and not that of a later start."""
    if _read(paths, file) == note:
        file.unlink(missing_ok=True)


def known(paths: Paths, file: Path) -> Note | None:
    """Return the note in `file` if the server that it names answers, else None.

    The secret is not sent for that: whoever listens there now has to prove that it knows it.
    """
    note = _read(paths, file)
    return note if note is not None and answers(note) else None


def answers(note: Note) -> bool:
    """Tell whether the server of this note answers, and no other program in its place."""
    question = secrets.token_hex(16)
    told = _ask(urllib.request.Request(_address(note, f"{PROOF}?of={question}")))  # noqa: S310
    return hmac.compare_digest(told or b"", proof(note.secret, question).encode())


def stop(note: Note) -> None:
    """Ask the server of this note, which has proved that it knows the secret, to end; and wait."""
    told = base64.b64encode(note.secret.encode()).decode()
    request = urllib.request.Request(  # noqa: S310  # loopback, as the note was checked for
        _address(note, STOP), method="POST", headers={"Authorization": f"Basic {told}"}
    )
    last = time.monotonic() + _ENDED
    while _ask(request) is not None and time.monotonic() < last:
        time.sleep(0.1)


def _address(note: Note, path: str) -> str:
    return note.url.removesuffix("/api") + path


def _ask(request: urllib.request.Request) -> bytes | None:
    """Return what the server of this machine replies; None if it does not, or refuses."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=2) as reply:
            return bytes(reply.read(200))
    except (OSError, ValueError, HTTPException):  # the last: cut off in the middle
        return None


def _read(paths: Paths, file: Path) -> Note | None:
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as content:
        about = os.fstat(content.fileno())
        if about.st_uid != os.geteuid() or stat.S_IMODE(about.st_mode) & 0o077:
            print(
                f"{file}: found owner {about.st_uid} and mode {stat.S_IMODE(about.st_mode):o};"
                f" expected {os.geteuid()} and 600; not used, start what wrote it again",
                file=sys.stderr,
            )
            return None
        with suppress(ValueError, TypeError, KeyError, RecursionError):
            value = json.loads(content.read(10_000))
            url, secret = value["url"], value["secret"]
            ours = _OURS.fullmatch(url)
            if value["workspace"] == str(paths.root.resolve()) and ours and _is_here(ours[1]):
                return Note(url, str(secret), str(value.get("made_by", "")))
    return None


def _is_here(host: str) -> bool:
    """Tell whether an address is of this machine: nobody can listen at another's."""
    if host == "127.0.0.1":
        return True
    bare = host.strip("[]")
    kind = socket.AF_INET6 if ":" in bare else socket.AF_INET
    with socket.socket(kind) as trial, suppress(OSError):
        trial.bind((bare, 0))
        return True
    return False
