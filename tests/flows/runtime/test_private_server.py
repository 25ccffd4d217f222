"""The Prefect server that the commands of a workspace share."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from flows.runtime.server.server_note import Note, answers
from tasks.core.workspace.paths import Paths
from tests.foreign import status
from tests.serving import environment

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]

COMMAND = """
import sys, json
from pathlib import Path
from flows.runtime.server.private_server import private_server
from tasks.core.workspace.paths import Paths
with private_server(Paths(Path(sys.argv[1])), float(sys.argv[2])) as note:
    pass
print(json.dumps([note.url, note.secret]), flush=True)
sys.stdin.read()
"""


class Command:
    """A process that needs the private server of `root` until its input ends.

    linger: seconds that the server may stay afterwards; more: environment variables.
    """

    def __init__(self, root, linger=0, **more):
        self.process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, str(root), str(linger)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(**more),
            start_new_session=True,
        )

    def note(self):
        return Note(*json.loads(self.process.stdout.readline()))

    def server(self):
        (server,) = psutil.Process(self.process.pid).children()
        return server

    def end(self, by=None):
        if by is not None:
            os.kill(self.process.pid, by)
        self.process.communicate(timeout=60)


def test_commands_share_one_locked_server_which_ends_with_the_last_even_when_killed(tmp_path):
    paths = Paths(tmp_path / "desk")
    first, second = Command(paths.root), Command(paths.root)
    try:
        note = first.note()
        assert second.note() == note
        starter, other = (
            (first, second)
            if psutil.Process(first.process.pid).children()
            else (
                second,
                first,
            )
        )
        server = starter.server()
        assert status(note.url, "admin/version") == 401
        assert status(note.url, "admin/version", secret=note.secret) == 200
        assert paths.private_note.stat().st_mode & 0o777 == 0o600
        assert note.secret not in " ".join(server.cmdline())
        starter.end(signal.SIGKILL)
        time.sleep(1.5)  # three looks of the server for someone who needs it
        assert answers(note)
        other.end(signal.SIGKILL)
        assert psutil.wait_procs([server], timeout=30)[1] == []
        third = Command(paths.root)
        again = third.note()
        assert again.secret != note.secret
        assert again.secret not in paths.private_log.read_text()
        server = third.server()
        third.end()
        assert not server.is_running()  # a command that ends well has ended it before
        assert not paths.private_note.exists()
    finally:
        for command in (first, second):
            command.process.kill()
