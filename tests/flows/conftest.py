import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from tests.serving import environment
from tests.world import make_world

SERVER_UP = 180  # seconds; 6 to 30 were seen on two busy cores


@pytest.fixture(scope="session", autouse=True)
def prefect_server():
    """A real Prefect API on a database of its own, for the whole session.

    It has no schedules to keep; services that idle cost a tenth of a core each second.
    """
    for service in ("SCHEDULER", "LATE_RUNS", "FOREMAN", "PAUSE_EXPIRATIONS", "TRIGGERS"):
        os.environ[f"PREFECT_SERVER_SERVICES_{service}_ENABLED"] = "false"
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=180):
        yield


@pytest.fixture
def world(tmp_path, tiny_model):
    """A workspace with 72 documents and two label files, nothing made yet."""
    return make_world(tmp_path / "world", str(tiny_model))


@pytest.fixture(scope="session")
def _made(tmp_path_factory, tiny_model):
    from flows.run import run

    root = make_world(tmp_path_factory.mktemp("made") / "world", str(tiny_model))
    run(root)
    return root


@pytest.fixture
def made(_made, tmp_path):
    """A workspace like `world` after its first run."""
    return shutil.copytree(_made, tmp_path / "made")


@pytest.fixture(scope="session")
def starting(tmp_path_factory):
    """A real Prefect server, started as a user starts one, and its URL; it may not answer yet."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, "-m", "prefect", "server", "start", "--no-ui"]
    process = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", port],
        env=environment(PREFECT_HOME=str(tmp_path_factory.mktemp("prefect"))),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    yield process, f"http://127.0.0.1:{port}/api"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture(scope="session")
def server(starting):
    """The URL of a real Prefect server that answers."""
    process, url = starting
    until = time.monotonic() + SERVER_UP
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/health", timeout=5).close()  # noqa: S310 - our own
        except OSError:
            time.sleep(0.2)
        else:
            return url
    pytest.fail("the Prefect server did not start")


@pytest.fixture(scope="session")
def _history(tmp_path_factory, tiny_model):
    from tests.flows.history import make_history

    return make_history(tmp_path_factory.mktemp("history"), str(tiny_model))


@pytest.fixture
def root(_history, tmp_path):
    """A workspace in git and DVC with three recorded versions, and a folder as its remote."""
    from tests.flows.history import copy

    return copy(_history[0], tmp_path / "world")


@pytest.fixture
def seen_at(_history):
    """What `seen` saw at each of the versions v1 to v3."""
    return _history[1]
