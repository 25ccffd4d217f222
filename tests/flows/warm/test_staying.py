"""How long a process that runs commands stays, and which of several."""

import os
import select
import socket
from contextlib import ExitStack

import pytest

from flows.runtime.lingering import none_lingers
from flows.warm import process as warm_process
from flows.warm import start as warm_start
from flows.warm.messages import LARGEST, packed
from flows.warm.place import opened
from flows.warm.process import _Warm
from flows.warm.start import end_all


@pytest.mark.parametrize(
    ("minutes", "none"), [("0", True), ("0.0", True), ("x", True), ("5", False)]
)
def test_no_minutes_however_they_are_written_leave_nothing_behind(monkeypatch, minutes, none):
    monkeypatch.setenv("REFRACT_LINGER", minutes)
    assert none_lingers() is none


def test_it_ends_when_nobody_has_come_for_long_enough():
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(b"")  # a name of the kernel's own
        listener.listen()
        assert _Warm(listener, 0.05, {}).serve() is False


def test_who_connects_and_says_nothing_holds_nobody_up(monkeypatch):
    monkeypatch.setattr(warm_process, "_SAYS", 0.05)
    with ExitStack() as stack:
        ends = [socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(3)]
        listener, silent, stopping = (stack.enter_context(end) for end in ends)
        listener.bind(b"")
        listener.listen()
        for client in (silent, stopping):
            client.connect(listener.getsockname())
        stopping.send(packed({"stop": True}))
        assert _Warm(listener, 600, {}).serve() is False
        assert silent.recv(1) == b""


def test_of_many_those_that_began_last_stay(tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(warm_start, "_HEARD", 0.05)  # these sockets never answer
    place = tmp_path / "refract" / "warm"
    place.mkdir(parents=True, mode=0o700)
    assert end_all(but=2) == 0
    with ExitStack() as stack, opened(place) as way:
        listeners = []
        for age, name in enumerate(("c", "a", "b")):
            listener = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
            listener.bind(f"{way}/{name}")
            listener.listen()
            os.utime(place / name, (1000 + age, 1000 + age))
            listeners.append(listener)
        assert end_all(but=2) == 1
        assert select.select(listeners, [], [], 0)[0] == listeners[:1]
        with listeners[0].accept()[0] as connection:
            assert connection.recv(LARGEST) == packed({"stop": True})
