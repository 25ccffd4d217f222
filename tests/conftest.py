import gc
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

gc.disable()  # until everything is imported, see `pytest_collection_finish`

# Before anything imports them: no network, no telemetry, no thread fights on small machines.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("DVC_NO_ANALYTICS", "1")
os.environ["REFRACT_LINGER"] = "0"  # no process stays behind a test
os.environ.pop("XDG_RUNTIME_DIR", None)  # nor is one of its user's met
# Nobody reads what flows log: on its way to the terminal and the server it cost a tenth of a run.
os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")
os.environ.setdefault("PREFECT_LOGGING_TO_API_ENABLED", "false")
# Worlds are copied and cloned all the time; what it means to trust one is tested by itself.
os.environ.setdefault("REFRACT_TRUST", "*")
os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="refract-state-")

TESTS = Path(__file__).parent

# How fast a shared machine is proves nothing. Of a hundred examples most are like one of fifty.
settings.register_profile("refract", deadline=None, max_examples=50)
settings.load_profile("refract")

SLOWEST = (
    *("at_work", "serve", "kill", "labels", "story", "versions", "record", "elsewhere", "dask"),
    *("run", "lazy", "explore_beside", "rollback", "posted_labels", "openapi", "push"),
    *("serve_kill", "workers", "wholeness", "report", "lancedb_clients"),
)


def pytest_ignore_collect(collection_path, config):
    """Import no attack where none is asked for."""
    unasked = config.option.markexpr == "not attack" and collection_path.name == "attacks"
    return True if unasked else None


def pytest_collection_modifyitems(items):
    """Begin with the slowest files, so that workers end at about the same time."""
    place = {f"test_{name}.py": at for at, name in enumerate(SLOWEST)}

    def turn(item):
        file = item.path.relative_to(TESTS)
        return place.get(file.name, len(place)), file.parts[0] != "flows"

    items.sort(key=turn)


def pytest_collection_finish():
    """Look for garbage seldom, and never among modules and tests: it was a tenth of the work."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


@pytest.fixture(scope="session")
def once(tmp_path_factory, worker_id):
    """Make something for all workers: `once(name, make)` calls `make(folder)` in one of them."""
    own = tmp_path_factory.getbasetemp()
    shared = own if worker_id == "master" else own.parent

    def get(name, make):
        folder = shared / name
        with FileLock(shared / f"{name}.lock"):
            if not (folder / ".made").exists():
                shutil.rmtree(folder, ignore_errors=True)  # of one that failed
                folder.mkdir()
                make(folder)
                (folder / ".made").touch()
        return folder

    return get


@pytest.fixture(scope="session")
def tiny_model(once):
    """A real encoder, small enough to load and run in milliseconds."""
    from tests.world import make_model

    return once("model", lambda folder: make_model(folder / "tiny")) / "tiny"
