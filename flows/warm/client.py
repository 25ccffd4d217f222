"""A command that has another process run it, and is to all around it what it would be itself."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from flows.warm.messages import LARGEST, Request, number_in, packed, unpacked
from flows.warm.place import connect, folder

WITH_PREFECT = ("ingest", "embed", "fit", "materialise", "run")
VERBS = (
    *(*WITH_PREFECT, "search", "similar", "export", "report"),
    *("evaluate", "suggest", "doubts"),
)
FORWARDED = tuple(
    getattr(signal, name)
    for name in ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGWINCH")
    if hasattr(signal, name)
)
LIMITS = tuple(getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_"))
_BEGINS = 10.0  # seconds; a fork takes a hundredth of one, and a process may be stopped
_OWN_FILES = ("/dev/fd/", "/proc/self/", "/dev/std")
# Such a run may have git or DVC ask for a passphrase, on the terminal that the process here has.
_ASKS = re.compile(
    rb"""(push|sign)["']?\s*:\s*["']?(true|yes|on)|commit["']?\s*:\s*["']?always""", re.IGNORECASE
)


def hand_over(words: Sequence[str]) -> int | None:
    """Have a process that is up already run this command line; return its exit code.

    None: there is none, or something speaks against it, and nothing was done. The command is ended
    as here: by signals to this process, or with it.
    """
    if not may_be_handed_over(words):
        return None
    from flows.warm.identity import identity

    try:
        place = folder()
        connection = None if place is None else connect(place, identity(os.environ))
    except OSError:
        return None
    if connection is None:
        return None
    with connection:
        return _Command(connection).run(words)


def may_be_handed_over(words: Sequence[str]) -> bool:
    """Tell whether this command line is one that runs elsewhere as it would here."""
    verb = verb_of(words)
    if sys.platform != "linux" or verb not in VERBS or is_off():
        return False
    if "--commit" in words or any(own in word for own in _OWN_FILES for word in words):
        return False
    if verb in WITH_PREFECT and words[0] == "-C":  # Prefect's settings are those of that folder
        return False
    if signal.pthread_sigmask(signal.SIG_BLOCK, ()):
        return False
    try:
        for number in range(3):
            os.fstat(number)
        settings = (root_of(words) / "params.yaml").read_bytes()
    except OSError:
        return False
    return verb != "run" or not _ASKS.search(settings)


def is_off() -> bool:
    """Tell whether the environment says that nothing stays behind a command."""
    from flows.runtime.lingering import none_lingers

    return none_lingers()


def verb_of(words: Sequence[str]) -> str:
    """Return the verb of a command line, after the folders that it is to work in; '' for none."""
    rest = list(words)
    while len(rest) > 2 and rest[0] == "-C":
        del rest[:2]
    return rest[0] if rest and not rest[0].startswith("-") else ""


def root_of(words: Sequence[str]) -> Path:
    """Return the workspace that a command line names; in doubt, the folder it is typed in."""
    rest, folder = list(words), Path()
    while len(rest) > 2 and rest[0] == "-C":
        folder /= rest[1]
        del rest[:2]
    return folder / named_root(rest)


def named_root(words: Sequence[str]) -> str:
    """Return what a command line says of its root; the last word counts, as everywhere."""
    root = "."
    for at, word in enumerate(words):
        if word == "--root" and at + 1 < len(words):
            root = words[at + 1]
        elif word.startswith("--root="):
            root = word.removeprefix("--root=")
    return root


class _Command:
    """One command that runs at the other end of `connection`."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def run(self, words: Sequence[str]) -> int | None:
        ignored = [number for number in FORWARDED if signal.getsignal(number) == signal.SIG_IGN]
        request = Request(
            words=list(words),
            environment=dict(os.environ),
            umask=_umask(),
            limits=[(number, *resource.getrlimit(number)) for number in LIMITS],
            ignored=[int(number) for number in ignored],
        )
        folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
        try:
            socket.send_fds(self._connection, [request.packed()], [0, 1, 2, folder])
        except OSError:
            return None
        finally:
            os.close(folder)
        self._forward([number for number in FORWARDED if number not in ignored])
        self._connection.settimeout(_BEGINS)
        answer = self._answer()
        self._connection.settimeout(None)
        if answer is None or "go" not in answer:
            self._restore()
            return None
        return self._end(self._answer())

    def _forward(self, numbers: list[signal.Signals]) -> None:
        self._before = {number: signal.signal(number, self._pass_on) for number in numbers}
        if signal.getsignal(signal.SIGTSTP) == signal.SIG_DFL:
            self._before[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, self._pause)

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _pass_on(self, number: int, _: Any) -> None:
        with suppress(OSError):
            self._connection.send(packed({"signal": number}))

    def _pause(self, _: int, __: Any) -> None:
        self._pass_on(signal.SIGSTOP, None)
        os.kill(os.getpid(), signal.SIGSTOP)
        self._pass_on(signal.SIGCONT, None)

    def _answer(self) -> dict[str, object] | None:
        try:
            content = self._connection.recv(LARGEST)
            return unpacked(content) if content else None
        except (OSError, ValueError):
            return None

    def _end(self, answer: dict[str, object] | None) -> int:
        self._restore()
        code = -signal.SIGKILL if answer is None else number_in(answer, "code")
        if code < 0:  # end by the same signal: a shell asks for that
            signal.signal(-code, signal.SIG_DFL) if -code != signal.SIGKILL else None
            os.kill(os.getpid(), -code)
        return code


def _umask() -> int:
    now = os.umask(0o077)
    os.umask(now)
    return now
