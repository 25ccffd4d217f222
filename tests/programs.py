"""A command of Refract that goes on, such as `serve`, in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.children import Child


class Program:
    """A command at work on `root`, and whatever it starts; its output goes to the file `log`."""

    process: subprocess.Popen[bytes] | Child

    def __init__(self, root: Path, log: Path) -> None:
        self.root, self.log = root, log
        self._before = log.stat().st_size if log.exists() else 0

    def begin(self, environment: Mapping[str, str], *words: str) -> None:
        """Start the command with these words."""
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "flows", *words],
                cwd=self.root,
                env=environment,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def said(self) -> str:
        """Return what it printed since it was started."""
        return self.log.read_bytes()[self._before :].decode() if self.log.exists() else ""

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(by)
        return self.process.wait(60)

    def end(self) -> None:
        """Kill whatever of it is left."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
