"""Where the processes that run commands listen: in a folder that is this user's alone."""

from __future__ import annotations

import os
import socket
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid


def folder() -> Path | None:
    """Return the folder of sockets, outside of every workspace; None where there is none."""
    from tasks.core.workspace.user_state import lasting_state

    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if Path(runtime).is_absolute() and os.access(runtime, os.W_OK):
        return Path(runtime) / "refract"
    state = lasting_state()
    return None if state is None else state / "refract" / "warm"


@contextmanager
def opened(place: Path) -> Iterator[str]:
    """Yield a short way to `place`, a folder of this user alone: paths of sockets end at 107 bytes.

    OSError where it is not there, is a link, or lets anybody else in.
    """
    handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        about = os.fstat(handle)
        if about.st_uid != os.geteuid() or stat.S_IMODE(about.st_mode) & 0o077:
            raise PermissionError(f"{place}: not this user's alone")
        yield f"/proc/self/fd/{handle}"
    finally:
        os.close(handle)


def connect(place: Path, name: str) -> socket.socket:
    """Return a connection to the process of this user that listens as `name`; else OSError."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        with opened(place) as way:
            connection.connect(f"{way}/{name}")
        if peer(connection)[1] != os.geteuid():
            raise PermissionError("another user listens there")
    except BaseException:
        connection.close()
        raise
    return connection


def peer(connection: socket.socket) -> tuple[int, int]:
    """Return process and user at the other end, as the kernel knows them."""
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    process, user, _ = _CREDENTIALS.unpack(told)
    return process, user
