"""The Prefect server of a workspace that names no other: on loopback, and gone with its owner.

Run as a script, this file is that server.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.lifeline import PARENT, end_with_parent
from tasks.core.errors import InputError
from tasks.core.files import read_json, write_json
from tasks.core.paths import Paths

HOST = "127.0.0.1"
STARTED = 180.0  # seconds to wait for it; 5 to 30 were seen on two busy cores
STOPPED = 15.0  # seconds to wait for its end
FREED = 10.0  # seconds to wait for the port: the server of a killed owner ends a moment later


class Server:
    """A Prefect server in a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, log: Path) -> None:
        self.url = url
        self._process, self._log = process, log

    def check(self) -> None:
        """Raise RuntimeError if it has ended."""
        code = self._process.poll()
        if code is not None:
            raise RuntimeError(
                f"the Prefect server ended with code {code}; see {self._log}, then start"
                " 'refract serve' again"
            )

    def stop(self) -> None:
        """End the server's process."""
        self._process.terminate()
        try:
            self._process.wait(STOPPED)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def own_server(paths: Paths, port: int) -> Iterator[Server]:
    """Start a server with its database in `.refract`, note where it is, and stop it at the end.

    port: 0 takes any free one. Raises InputError where the port is taken.
    """
    port = _free_port(port)
    home = paths.prefect_home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"PREFECT_HOME": str(home), PARENT: str(os.getpid())}
    environment.pop("PREFECT_API_URL", None)
    with paths.server_log.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "flows.server", str(port)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for its owner, who stops it last
        )
    server = Server(process, f"http://{HOST}:{port}/api", paths.server_log)
    try:
        _wait(server)
        write_json(paths.server_note, {"url": server.url})
        yield server
    finally:
        paths.server_note.unlink(missing_ok=True)
        server.stop()


def known_server(paths: Paths) -> str | None:
    """Return the URL of the server that `refract serve` runs for this workspace, if it answers."""
    url = (read_json(paths.server_note) or {}).get("url")
    return str(url) if url and _answers(str(url)) else None


def _free_port(port: int) -> int:
    last = time.monotonic() + (FREED if port else 0)
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as error:
                if time.monotonic() > last:
                    raise InputError(
                        f"params.yaml: serve.port: {port} is in use ({error.strerror}); choose"
                        " another, 0 for any free one, or set PREFECT_API_URL to use a Prefect"
                        " server that runs already"
                    ) from error
            else:
                return int(probe.getsockname()[1])
        time.sleep(0.2)


def _wait(server: Server) -> None:
    last = time.monotonic() + STARTED
    while not _answers(server.url):
        server.check()
        if time.monotonic() > last:
            raise RuntimeError(f"the Prefect server did not answer within {STARTED:.0f} s")
        time.sleep(0.2)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=2) as reply:  # noqa: S310  # http only
            return bool(json.load(reply))
    except (OSError, ValueError, urllib.error.URLError):
        return False


def main(port: str) -> None:
    """Run `prefect server start` in this process until the owner is gone."""
    end_with_parent(signal.SIGTERM)
    from prefect.cli import app

    sys.argv[1:] = ["server", "start", "--host", HOST, "--port", port]
    app()


if __name__ == "__main__":
    main(sys.argv[1])
