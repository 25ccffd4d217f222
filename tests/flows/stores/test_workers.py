"""Workers of a cluster, whose tables lie in an object store."""

import pytest

pytest.importorskip("prefect_dask")

from flows.embed import embed
from flows.run import run
from tests.same import assert_same
from tests.world import set_params

pytestmark = pytest.mark.server


def test_what_workers_make_in_a_store_is_what_one_process_makes_there(stored):
    alone, shared = stored("alone"), stored("shared")
    for root, engine in ((alone, {"runner": "local"}), (shared, {"runner": "dask", "workers": 2})):
        again = {"chunk": 16, "prompt": "about: "}
        set_params(root, engine=engine, embed=again, materialise={"chunk": 16})
        assert embed(root, rebuild=True).encoded
        assert len(run(root).materialise) == 2
    assert_same(alone, shared)
