"""One private Prefect server a workspace: the first command starts it, the last one ends it.

Each command holds a shared lock on a file for as long as it lives. The operating system frees it
whatever ends the command, and the server ends when it gets that lock for itself alone.
"""

from __future__ import annotations

import atexit
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import IO

from filelock import FileLock

from flows.runtime.child_process import LEASE
from flows.runtime.prefect_server import Server, start
from flows.runtime.server_note import Note, known, write_note
from tasks.core.workspace.paths import Paths

_QUIET = {
    "PREFECT__SERVER_EPHEMERAL": "1",  # Prefect's own word: no schedules, no triggers, no UI
    "PREFECT_UI_ENABLED": "0",
}


@contextmanager
def private_server(paths: Paths) -> Iterator[Note]:
    """Yield the server of this workspace's commands, and wait at the end until it answers.

    It lives as long as this process and every other one that came here. What the block does, the
    server need not wait for: its start takes seconds. Raises InputError if it does not start.
    """
    paths.state.mkdir(parents=True, exist_ok=True)
    lease = paths.private_lease.open("ab")
    fcntl.flock(lease, fcntl.LOCK_SH)  # waits for one that is about to end
    with FileLock(paths.private_lock):
        note = known(paths, paths.private_note)
        if note is not None:
            atexit.register(partial(_leave, paths, lease, None))
            yield note
            return
        more = _QUIET | {LEASE: str(paths.private_lease.resolve())}
        server = start(paths, 0, paths.private_log, more)
        atexit.register(partial(_leave, paths, lease, server))
        yield server.note
        server.wait()
        write_note(paths, paths.private_note, server.note)


def _leave(paths: Paths, lease: IO[bytes], server: Server | None) -> None:
    """Stop the server, unless another command still needs it: then it ends with that one."""
    with lease:
        try:
            fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        paths.private_note.unlink(missing_ok=True)
        if server is not None:
            server.stop()
