"""A scheduler that somebody else has started, and what may be wrong with it."""

import pytest

pytest.importorskip("prefect_dask")

import dask
from distributed import Nanny, Scheduler, SpecCluster
from prefect.settings import PREFECT_API_URL, temporary_settings

import flows.embed
from flows.embed import embed
from flows.engine import reach
from tasks.core.store import tables
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths
from tests.clusters import MANY, apart, poisoned
from tests.same import rows
from tests.world import set_params

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def elsewhere():
    """A scheduler and two workers without TLS, as somebody has started them by hand."""
    at = {"host": "127.0.0.1", "dashboard": False}
    worker = {"cls": Nanny, "options": {**at, "nthreads": 1, "memory_limit": 0}}
    scheduler = {"cls": Scheduler, "options": {**at, "dashboard_address": "127.0.0.1:0"}}
    with (
        dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}),
        SpecCluster(scheduler=scheduler, workers={0: worker, 1: worker}) as cluster,
    ):
        yield cluster


def by_itself(root, address):
    """Embed with the engine of the workspace's own settings."""
    set_params(root, engine={"runner": "dask", "address": address})
    return apart(embed, root)


def test_a_scheduler_that_sends_work_again_by_itself_is_counted(many, elsewhere, monkeypatch):
    monkeypatch.setattr(flows.embed, "embed_shard", poisoned)
    with pytest.raises(InputError, match="from id 't32' to 't47': its worker died 4 times"):
        by_itself(many, elsewhere.scheduler_address)  # resubmit: 3


def test_a_scheduler_elsewhere_is_used_by_its_address(many, elsewhere):
    assert by_itself(many, elsewhere.scheduler_address).written == len(MANY)
    assert rows(many, "base").height == len(MANY)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("_versions", {"refract": "0.0"}, "has refract [0-9.]+, expected 0.0 as here"),
        ("check_server", "http://127.0.0.1:9/api", "gets no answer from Prefect at http"),
    ],
)
def test_workers_that_cannot_do_their_part_are_refused(
    many, elsewhere, monkeypatch, name, value, said
):
    monkeypatch.setattr(reach, name, lambda *_: value)
    with pytest.raises(InputError, match=rf"engine: the worker at tcp://127.0.0.1:\d+ {said}"):
        by_itself(many, elsewhere.scheduler_address)


def test_a_scheduler_that_goes_is_named_and_what_was_committed_is_kept(
    many, elsewhere, monkeypatch
):
    monkeypatch.setattr(reach, "WAIT", 5.0)
    commit = flows.embed.commit_shard

    def last(*arguments):
        counts = commit(*arguments)
        elsewhere.close()
        return counts

    monkeypatch.setattr(flows.embed, "commit_shard", last)
    with pytest.raises(InputError, match="engine: the Dask scheduler went away"):
        by_itself(many, elsewhere.scheduler_address)
    assert tables.count(Paths(many).base_table) == 16


def test_a_scheduler_that_is_not_there_is_named(many, monkeypatch):
    monkeypatch.setattr(reach, "WAIT", 0.5)
    with pytest.raises(
        InputError, match=r"no scheduler with a worker answers at tcp://127.0.0.1:9"
    ):
        by_itself(many, "tcp://127.0.0.1:9")


def test_workers_elsewhere_need_a_prefect_server_that_they_can_reach(many):
    with pytest.raises(InputError, match=r"workers at tcp://192.0.2.1:8786 cannot reach"):
        by_itself(many, "tcp://192.0.2.1:8786")
    with (
        temporary_settings(restore_defaults={PREFECT_API_URL}),
        pytest.raises(InputError, match="dask needs one Prefect server for all workers"),
    ):
        reach.check_server(None)
