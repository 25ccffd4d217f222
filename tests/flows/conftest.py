import json
import os
import shutil

import pytest

from flows.runtime.prefect_settings import no_heartbeats
from flows.runtime.server.prefect_server import own_server
from tasks.core.workspace.paths import Paths
from tests.children import SECRET
from tests.serving import NEEDED_BY_SERVE
from tests.world import make_world


@pytest.fixture(scope="session", autouse=True)
def prefect_server(tmp_path_factory):
    """A real Prefect API on a database of its own, for the whole session.

    It has no schedules to keep; services that idle cost a tenth of a core each second, and those
    that write down events half of what the server does in a run.
    """
    from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

    services = (*NEEDED_BY_SERVE, "EVENT_PERSISTER", "TASK_RUN_RECORDER")
    without = {f"PREFECT_SERVER_SERVICES_{name}_ENABLED": "false" for name in services}
    os.environ.update(without)
    with own_server(Paths(tmp_path_factory.mktemp("prefect")), 0) as own:
        at = {PREFECT_API_URL: own.note.url, PREFECT_API_AUTH_STRING: own.note.secret}
        os.environ[SECRET] = own.note.secret  # for processes that are told the address
        with temporary_settings(at), no_heartbeats():
            yield


@pytest.fixture
def world(tmp_path, tiny_model):
    """A workspace with 72 documents and two label files, nothing made yet."""
    return make_world(tmp_path / "world", str(tiny_model))


def _ran(once, name, model, method):
    from flows.run import run

    def make(at):
        run(make_world(at / "world", str(model), method=method))

    return once(name, make) / "world"


@pytest.fixture(scope="session")
def _made(once, tiny_model):
    return _ran(once, "made", tiny_model, "discriminant")


@pytest.fixture(scope="session")
def _pooled(once, tiny_model):
    return _ran(once, "pooled", tiny_model, "auto")


@pytest.fixture
def made(_made, tmp_path):
    """A workspace like `world` after its first run."""
    return shutil.copytree(_made, tmp_path / "made")


@pytest.fixture
def pooled(_pooled, tmp_path):
    """The same by `auto`, the method that asks several experts; each fit takes three times that."""
    return shutil.copytree(_pooled, tmp_path / "pooled")


@pytest.fixture(scope="session")
def _history(once, tiny_model):
    from tests.flows.history import make_history

    return once("history", lambda at: make_history(at, str(tiny_model)))


@pytest.fixture
def root(_history, tmp_path):
    """A workspace in git and DVC with three recorded versions, and a folder as its remote."""
    from tests.flows.history import copy

    return copy(_history / "world", tmp_path / "world")


@pytest.fixture
def seen_at(_history):
    """What `seen` saw at each of the versions v1 to v3."""
    return json.loads((_history / "seen.json").read_text())
