import shutil

import pytest

from flows.ingest import ingest
from tests.clusters import MANY
from tests.world import make_layered_model, make_world, set_params, write_documents


@pytest.fixture(scope="session")
def ingested(once):
    """A workspace of `MANY` texts whose corpus is made."""
    layered = once("layers", lambda folder: make_layered_model(folder / "model")) / "model"

    def make(folder):
        root = make_world(folder / "world", str(layered / "model"))
        set_params(root, materialise={"chunk": 50})
        write_documents(root, MANY)
        ingest(root)

    return once("many", make) / "world"


@pytest.fixture
def many(ingested, tmp_path):
    """A copy of it."""
    return shutil.copytree(ingested, tmp_path / "world")
