"""`refract explore` as a child of `refract serve`: it ends with it, and may end before it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import flows
from flows.runtime.child_process import PARENT
from flows.runtime.server.server_note import known
from tasks.core.settings.params import Params
from tasks.core.workspace.paths import Paths

_ENDS = 10.0  # seconds that it gets to end by itself


@contextmanager
def explore_beside(paths: Paths, params: Params) -> Iterator[None]:
    """Let it answer for the workspace until the block ends, unless the settings have it otherwise.

    Where it cannot start, it says why itself, and all else goes on.
    """
    if params.serve.explore_port is None:
        yield
        return
    if known(paths, paths.explore_note):
        print("explore runs here already; all else goes on", file=sys.stderr, flush=True)
        yield
        return
    root = str(paths.root.resolve())
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", flows.__name__, "explore", "--no-browser", "--root", root],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # its link has the secret in it, and this goes to logs
        env=os.environ | {PARENT: str(os.getpid())},
        start_new_session=True,  # Ctrl-C is for serve, which ends it
    )
    ending = threading.Event()
    follower = threading.Thread(target=_follow, args=(process, ending), daemon=True)
    follower.start()
    try:
        yield
    finally:
        ending.set()
        process.terminate()
        try:
            process.wait(_ENDS)
        except subprocess.TimeoutExpired:
            process.kill()
        follower.join()


def _follow(process: subprocess.Popen[bytes], ending: threading.Event) -> None:
    code = process.wait()
    if not ending.is_set():
        ended = f"explore ended (exit code {code}); 'refract explore' starts it again"
        print(f"{ended}; all else goes on", file=sys.stderr, flush=True)
