"""Leave a process behind for the next command, and end it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from flows.runtime.lingering import none_lingers, seconds_to_linger
from flows.warm.identity import identity
from flows.warm.messages import packed
from flows.warm.place import connect, folder, opened
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths

STOPPED = "stopped"  # a file whose time says when all were asked to end
_HEARD = 5.0  # seconds to wait until a process has heard that it is to end
_HEAVY = ("torch", "prefect", "lance")  # what the next command would not have to import again


def leave_one(root: Path, environment: Mapping[str, str]) -> None:
    """Start a process for the commands to come, if this one has needed what it would spare them.

    environment: that of the command, before anything was set in it.
    """
    if sys.platform != "linux" or none_lingers() or not any(name in sys.modules for name in _HEAVY):
        return
    with suppress(OSError, InputError):
        seconds = seconds_to_linger(Paths(root))
        place = folder()
        if seconds > 0 and place is not None:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            _start(seconds, environment)


def end_all(*, but: int = 0) -> int:
    """Ask every such process of this user to end when its commands have; return how many.

    One that still imports ends as soon as it would listen. but: of those that began last this many
    stay.
    """
    place, ended = folder(), 0
    if place is None:
        return 0
    with suppress(OSError):
        with opened(place) as way:
            if not but:
                Path(f"{way}/{STOPPED}").touch()
            found = [file for file in Path(way).iterdir() if file.name != STOPPED]
            files = [file for file in found if file.suffix != ".lock"]
            files.sort(key=lambda file: file.stat().st_mtime_ns)
        for name in [file.name for file in files][: max(len(files) - but, 0)]:
            with suppress(OSError), connect(place, name) as connection:
                connection.send(packed({"stop": True}))
                ended += 1
                connection.settimeout(_HEARD)
                connection.recv(1)  # its end: until then who asks is looked at, and must be there
    return ended


def _start(seconds: float, environment: Mapping[str, str]) -> None:
    told = (str(seconds), identity(environment), str(os.getpid()), str(time.time()))
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", f"{__package__}.process", *told],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    process.returncode = 0  # nobody waits for it
