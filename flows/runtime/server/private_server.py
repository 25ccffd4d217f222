"""One private Prefect server a workspace: the first command starts it, and the next ones use it.

Each command holds a shared lock on a file for as long as it lives. The operating system frees it
whatever ends the command, and the server ends when it has had that lock for itself alone for long
enough.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import IO

from filelock import FileLock

from flows.runtime.child_process import LEASE, let_linger
from flows.runtime.server.prefect_server import Server, start
from flows.runtime.server.server_note import Note, known, stop, write_note
from tasks.core.workspace.files import digest
from tasks.core.workspace.paths import Paths
from tasks.signs import sign

_QUIET = {
    "PREFECT__SERVER_EPHEMERAL": "1",  # Prefect's own word: no schedules, no triggers, no UI
    "PREFECT_UI_ENABLED": "0",
}
_OF_A_COMMAND = (
    *("PREFECT_API_URL", "PREFECT_API_AUTH_STRING", "PREFECT_API_KEY", "PREFECT_PROFILE"),
    *("PREFECT_LOGGING_", "PREFECT_CLIENT_", "PREFECT_FLOWS_"),
)


@contextmanager
def private_server(paths: Paths, linger: float = 0.0) -> Iterator[Note]:
    """Yield the server of this workspace's commands, and wait at the end until it answers.

    It lives as long as this process and every other one that came here, and `linger` seconds more.
    What the block does, the server need not wait for: its start takes seconds. Raises InputError if
    it does not start.
    """
    paths.state.mkdir(parents=True, exist_ok=True)
    lease = open(paths.private_lease, "r+b", opener=_made)  # noqa: SIM115  # as long as we live
    fcntl.flock(lease, fcntl.LOCK_SH)  # waits for one that is about to end
    with FileLock(paths.private_lock):
        note = _reusable(paths, lease)
        let_linger(lease.fileno(), linger if note else 0)  # one that nobody could find ends at once
        if note is not None:
            atexit.register(partial(_leave, paths, lease, None, linger))
            sign("loading Prefect")
            yield note
            return
        sign("starting Prefect's server")
        more = _QUIET | {LEASE: str(paths.private_lease.resolve())}
        server = start(paths, 0, paths.private_log, more, made_by())
        atexit.register(partial(_leave, paths, lease, server, linger))
        yield server.note
        server.wait()
        write_note(paths, paths.private_note, server.note)
        let_linger(lease.fileno(), linger)


def stop_private(paths: Paths) -> bool | None:
    """End the server that lingers; tell whether there was one, None if a command still needs it.

    Then it ends with that command.
    """
    try:
        lease = paths.private_lease.open("r+b")
    except OSError:
        return False
    with lease, FileLock(paths.private_lock):
        note = known(paths, paths.private_note)
        if note is None:
            paths.private_note.unlink(missing_ok=True)
            return False
        if not _alone(lease):
            let_linger(lease.fileno(), 0)
            return None
        paths.private_note.unlink(missing_ok=True)
        stop(note)
    return True


def made_by() -> str:
    """Name what a server runs by: one of another version, or set up otherwise, is not reused."""
    of_server = {
        name: value
        for name, value in os.environ.items()
        if name.startswith("PREFECT_") and not name.startswith(_OF_A_COMMAND)
    }
    code = [
        (file.name, file.stat().st_size, file.stat().st_mtime_ns)
        for file in sorted(Path(__file__).parents[1].rglob("*.py"))
    ]
    return digest(version("prefect"), sys.executable, sys.version, code, of_server)


def _reusable(paths: Paths, lease: IO[bytes]) -> Note | None:
    """Return the server that answers; one that runs by something else is ended, if it is free."""
    note = known(paths, paths.private_note)
    if note is None or note.made_by == made_by():
        return note
    if not _alone(lease):
        return note
    paths.private_note.unlink(missing_ok=True)
    stop(note)
    fcntl.flock(lease, fcntl.LOCK_SH)
    return None


def _alone(lease: IO[bytes]) -> bool:
    """Hold the lease for this process alone, if nobody else holds it; else go on sharing it."""
    try:
        fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(lease, fcntl.LOCK_SH)
        return False
    return True


def _made(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_CREAT, 0o600)


def _leave(paths: Paths, lease: IO[bytes], server: Server | None, linger: float) -> None:
    """Stop the server, unless it lingers or another command needs it: then it ends with that."""
    with lease:
        if linger > 0:
            return
        with suppress(BlockingIOError):
            fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
            paths.private_note.unlink(missing_ok=True)
            if server is not None:
                server.stop()
