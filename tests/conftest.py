import os
import tempfile

import pytest
from hypothesis import settings

# Before anything imports them: no network, no telemetry, no thread fights on small machines.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("DVC_NO_ANALYTICS", "1")
os.environ["REFRACT_LINGER"] = "0"  # no process stays behind a test
# Worlds are copied and cloned all the time; what it means to trust one is tested by itself.
os.environ.setdefault("REFRACT_TRUST", "*")
os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="refract-state-")

settings.register_profile("refract", deadline=None)  # how fast a shared machine is proves nothing
settings.load_profile("refract")


SLOWEST = ("test_serve_kill.py", "test_serve.py", "test_kill.py", "test_versions.py", "test_run.py")


def pytest_collection_modifyitems(items):
    """Begin with the slowest files, so that two workers end at about the same time."""
    place = {name: at for at, name in enumerate(SLOWEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """A real encoder, small enough to load and run in milliseconds."""
    from tests.world import make_model

    return make_model(tmp_path_factory.mktemp("model") / "tiny")
