"""What workers elsewhere are asked before they get work, and how what they lack is said."""

import pytest

pytest.importorskip("prefect_dask")

import dask
from distributed import Scheduler, SpecCluster, Worker
from prefect_dask import DaskTaskRunner

from flows.engine import reach
from tasks.core.settings.running_sections import EngineSettings
from tasks.core.workspace.errors import InputError


@pytest.fixture(scope="module")
def two_threads():
    """A scheduler and one worker, which takes two tasks at a time."""
    at = {"host": "127.0.0.1", "dashboard": False}
    scheduler = {"cls": Scheduler, "options": {**at, "dashboard_address": "127.0.0.1:0"}}
    worker = {"cls": Worker, "options": {**at, "nthreads": 2, "memory_limit": 0}}
    with SpecCluster(scheduler=scheduler, workers={0: worker}) as cluster:
        yield cluster.scheduler_address


def check(address, root):
    with DaskTaskRunner(address=address, client_kwargs={"timeout": 5}) as runner:
        reach.check_workers(runner, address, root, "http://127.0.0.1:9/api")


def test_a_worker_that_takes_several_tasks_at_a_time_is_refused(two_threads, tmp_path, monkeypatch):
    monkeypatch.setattr(reach, "_answers", lambda url: True)
    (tmp_path / "params.yaml").touch()
    with pytest.raises(InputError, match=r"at tcp://\S+ has 2 threads, expected --nthreads 1"):
        check(two_threads, tmp_path)


def test_a_worker_without_refract_is_named(two_threads, tmp_path, monkeypatch):
    monkeypatch.setattr(reach, "_able", lambda *_: __import__("of_no_package"))
    with pytest.raises(InputError, match=r"cannot be asked \(No module named 'of_no_package'\)"):
        check(two_threads, tmp_path)


def test_an_address_by_tls_needs_certificates(tmp_path):
    with (
        dask.config.set({"distributed.comm.tls.ca-file": None}),
        pytest.raises(InputError, match="is reached by certificates, found none"),
    ):
        check("tls://127.0.0.1:9", tmp_path)


@pytest.mark.parametrize(
    "address", ["127.0.0.1:8786", "tcp://127.0.0.1", "ucx://a:1", "tcp://me:secret@a:1"]
)
def test_an_address_names_a_protocol_that_dask_has_a_host_and_a_port(address):
    with pytest.raises(ValueError, match="address"):
        EngineSettings(address=address)
