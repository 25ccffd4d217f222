"""The Prefect server of a workspace that names no other: on loopback, locked, gone with its owner.

Run as a script, this file is that server.
"""

from __future__ import annotations

import importlib.metadata
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flows.runtime.child_process import LEASE, PARENT, end_when_free, end_with_parent
from flows.runtime.importing import without_collecting
from flows.runtime.server.database_template import keeping, lay
from flows.runtime.server.report_pages import with_reports
from flows.runtime.server.server_guard import AUTH, HOST, Guard
from flows.runtime.server.server_note import Note, answers, new_secret, write_note
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths

STARTED = 180.0  # seconds to wait for it; 5 to 30 were seen on two busy cores
STOPPED = 15.0  # seconds to wait for its end
FREED = 10.0  # seconds to wait for the port: the server of a killed owner ends a moment later
_NOT_INHERITED = (
    *("PREFECT_API_URL", "PREFECT_API_AUTH_STRING", "PREFECT_SERVER_UI_API_URL"),
    *(PARENT, LEASE),
)
_MADE_BEFORE = (  # what a template brings, and takes seconds
    "PREFECT_SERVER_DATABASE_MIGRATE_ON_START",
    "PREFECT_API_BLOCKS_REGISTER_ON_START",
)
_CLOSING = 5  # seconds that open connections get when it ends: a browser's may stay for ever


class Server:
    """A Prefect server in a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes], note: Note, log: Path) -> None:
        self.note = note
        self._process, self._log = process, log

    def wait(self) -> None:
        """Wait until the server answers; InputError if it ends or takes too long."""
        last = time.monotonic() + STARTED
        while not answers(self.note):
            if self._process.poll() is not None:
                raise InputError(f"the Prefect server did not start; see {self._log}")
            if time.monotonic() > last:
                raise InputError(
                    f"the Prefect server did not answer within {STARTED:.0f} s; see {self._log}"
                )
            time.sleep(0.1)

    def check(self) -> None:
        """Raise RuntimeError if the server has ended."""
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
    server = start(paths, port, paths.server_log, {PARENT: str(os.getpid())})
    try:
        server.wait()
        write_note(paths, paths.server_note, server.note)
        yield server
    finally:
        paths.server_note.unlink(missing_ok=True)
        server.stop()


def start(paths: Paths, port: int, log: Path, more: dict[str, str], made_by: str = "") -> Server:
    """Start the process of a server, which does not answer yet.

    more: further environment, which says how long it lives; made_by: goes into its note.
    """
    home = Path(os.environ.get("PREFECT_HOME") or paths.prefect_home.resolve())
    home.mkdir(parents=True, exist_ok=True)
    with _listener(port) as listener:
        port = listener.getsockname()[1]
        note = Note(f"http://{HOST}:{port}/api", new_secret(), made_by)
        log.unlink(missing_ok=True)  # never through a link that somebody else laid here
        with log.open("xb") as out:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", __name__, str(listener.fileno())],
                env=_environment(note) | {"PREFECT_HOME": str(home)} | more,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for its owner, who stops it last
                pass_fds=[listener.fileno()],
            )
    return Server(process, note, log)


def _environment(note: Note) -> dict[str, str]:
    """Return the environment of a server that only its secret opens; no command line shows it."""
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    return kept | {
        AUTH: note.secret,
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": note.url.removesuffix("/api"),
        "PREFECT_UI_API_URL": note.url,  # otherwise it asks port 4200, whatever its own is
    }


def _listener(port: int) -> socket.socket:
    """Return a socket that listens at `port`: from here on, no other program can take it."""
    last = time.monotonic() + (FREED if port else 0)
    while True:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen(1024)
        except OSError as error:
            listener.close()
            if time.monotonic() > last:
                raise InputError(
                    f"params.yaml: serve.port: {port} is in use ({error.strerror}); choose"
                    " another, 0 for any free one, or set PREFECT_API_URL to use a Prefect"
                    " server that runs already"
                ) from error
        else:
            return listener
        time.sleep(0.2)


def main(descriptor: str) -> None:
    """Serve Prefect's API on a socket that the owner has opened, until nobody needs it."""
    end_with_parent(signal.SIGTERM)
    end_when_free(signal.SIGTERM)
    with without_collecting():
        app = _prefect()
        import uvicorn
        from prefect.settings import get_current_settings

    settings = get_current_settings().server
    listener = socket.socket(fileno=int(descriptor))
    app = with_reports(app, os.environ[AUTH])
    app = Guard(app, listener.getsockname()[1], os.environ[AUTH], _stop)
    config = uvicorn.Config(
        app,
        lifespan="on",
        log_level=settings.logging_level.lower(),
        timeout_keep_alive=settings.api.keepalive_timeout,
        timeout_graceful_shutdown=_CLOSING,
        proxy_headers=False,  # nobody stands between
    )
    uvicorn.Server(config).run(sockets=[listener])


def _prefect() -> Any:
    """Return Prefect's application; on a new database, that is a copy of one made before."""
    database = Path(os.environ["PREFECT_HOME"]) / "prefect.db"
    version = importlib.metadata.version("prefect")
    elsewhere = any(name.startswith("PREFECT_") and "DATABASE" in name for name in os.environ)
    new = not elsewhere and not database.exists()
    if new and lay(database, version):
        os.environ |= dict.fromkeys(_MADE_BEFORE, "false")
        new = False
    with without_collecting():  # before Prefect looks through it all by itself: 0.3 s
        from prefect.server.api.server import create_app
        from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL as URL

    app = create_app(final=True)
    return keeping(app, database, version) if new and str(database) in URL.value() else app


def _stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(sys.argv[1])
