import os

import pytest

# Before anything imports them: no network, no telemetry, no thread fights on small machines.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("DVC_NO_ANALYTICS", "1")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """A real encoder, small enough to load and run in milliseconds."""
    from tests.world import make_model

    return make_model(tmp_path_factory.mktemp("model") / "tiny")
