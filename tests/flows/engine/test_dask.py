"""The same work on two workers of a real Dask cluster, whatever becomes of them."""

import os
import random
import shutil
import signal
import threading
from contextvars import copy_context
from dataclasses import replace

import psutil
import pytest
from prefect import task
from prefect.settings import PREFECT_API_URL, temporary_settings

pytest.importorskip("prefect_dask")

import dask
from distributed import Nanny, Scheduler, SpecCluster
from distributed.core import connect
from distributed.security import Security

import flows.embed
from flows.embed import embed
from flows.engine import choosing, on_dask, reach
from flows.engine.choosing import engine
from flows.ingest import ingest
from flows.run import run
from tasks import progress
from tasks.core.settings.running_sections import EngineSettings
from tasks.core.store import tables
from tasks.core.transforms.card import TENSORS
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths
from tasks.embed import embed_shard
from tests.same import leftovers, orphaned, rows
from tests.world import documents, make_layered_model, make_world, set_params, write_documents

pytestmark = pytest.mark.server

TWO = EngineSettings(runner="dask", workers=2, resubmit=2)
MORE = [
    {**row, "id": f"{row['id']}.{n}", "text": f"{row['text']} {'again ' * (n % 4)}".strip()}
    for n in range(2)
    for row in documents()
]
MANY = documents() + MORE


@pytest.fixture(scope="module")
def workers(tmp_path_factory):
    """Two workers, which all flows of this module share."""
    with engine(Paths(tmp_path_factory.mktemp("workers")), TWO) as made:
        yield made


@pytest.fixture(scope="module")
def layered(once):
    return once("layers", lambda folder: make_layered_model(folder / "model")) / "model" / "model"


@pytest.fixture(scope="module")
def alone(tmp_path_factory, layered):
    """A workspace of three texts to an id, some of them the same, whose corpus is made; and the
    same made whole by this process."""
    root = make_world(tmp_path_factory.mktemp("alone") / "world", str(layered))
    set_params(root, materialise={"chunk": 50})
    write_documents(root, MANY)
    ingest(root)
    whole = shutil.copytree(root, root.parent / "whole")
    apart(run, whole)
    return root, whole


def apart(call, *arguments):
    """Call a flow where no engine is around it."""
    aside = copy_context()
    aside.run(choosing._current.set, None)
    return aside.run(call, *arguments)


@pytest.fixture
def many(alone, tmp_path):
    return shutil.copytree(alone[0], tmp_path / "world")


def assert_equal(root, other):
    """Every value of base and views, and every byte of the transforms."""
    for name in ("base", "mood", "topic"):
        mine, theirs = rows(root, name), rows(other, name)
        assert mine.columns == theirs.columns
        assert mine.equals(theirs), name
    for name in ("mood", "topic"):
        one, two = (Paths(each).transform(name) / TENSORS for each in (root, other))
        assert one.read_bytes() == two.read_bytes()
    assert leftovers(root) == []


def test_what_two_workers_make_is_what_one_process_makes_bit_for_bit(alone, many, workers):
    (many / "data" / "labels" / "broken.csv").write_text("id,label\nt01,x\n")
    report = run(many)
    assert report.embed.encoded == len({row["text"] for row in MANY}) < len(MANY)
    assert list(report.fit.rejected) == ["broken"]
    assert_equal(many, alone[1])


def nannies(workers):
    """Return the watchers of the workers: each starts its own anew."""
    return list(workers._started()._cluster.workers.values())


def kill_at_random(workers, times, over):
    """Send SIGKILL to one worker after the other, at random moments, until `over` is set."""
    chance = random.Random(1)
    while times and not over.wait(chance.uniform(0, 0.4)):
        process = chance.choice(nannies(workers)).process
        if process is not None and process.pid is not None and process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
            times -= 1
    workers.killed = 20 - times


def test_workers_that_are_killed_twenty_times_lose_nothing_and_do_nothing_twice(
    alone, many, workers, monkeypatch
):
    over = threading.Event()
    monkeypatch.setattr(workers, "_settings", TWO.model_copy(update={"resubmit": 100}))
    killer = threading.Thread(target=kill_at_random, args=(workers, 20, over))
    killer.start()
    try:
        while killer.is_alive():
            embed(many, rebuild=True)
    finally:
        over.set()
        killer.join()
    run(many)
    assert workers.killed == 20
    assert_equal(many, alone[1])
    assert orphaned(many) == []


@task(name="embed shard")
def poisoned(job, part):
    """End the worker at the third chunk, as one that takes too much memory is ended."""
    if part.start == 32:
        os.kill(os.getpid(), signal.SIGKILL)
    return embed_shard.fn(job, part)


def test_a_chunk_that_ends_every_worker_is_named_and_those_before_it_are_kept(
    many, workers, monkeypatch, capfd
):
    monkeypatch.setattr(flows.embed, "embed_shard", poisoned)
    with pytest.raises(InputError) as refused:
        embed(many)
    said = str(refused.value)
    assert said.startswith("engine: the 16 texts from id 't32' to 't47': its worker died 3 times")
    assert "\n" not in said
    assert capfd.readouterr().err.count("its worker died; sent again") == 2
    table = Paths(many).base_table
    assert tables.count(table) == 32
    monkeypatch.undo()
    report = embed(many)
    assert report.written == len(MANY) - 32
    assert rows(many, "base").height == len(MANY)


def test_a_scheduler_that_sends_work_again_by_itself_is_counted(many, elsewhere, monkeypatch):
    monkeypatch.setattr(flows.embed, "embed_shard", poisoned)
    with pytest.raises(InputError, match="from id 't32' to 't47': its worker died 4 times"):
        by_itself(many, elsewhere.scheduler_address)  # resubmit: 3


def test_where_no_worker_starts_again_the_driver_says_so(many, monkeypatch):
    monkeypatch.setattr(on_dask, "_LOOK", 0.1)
    monkeypatch.setattr(on_dask, "_ALONE", 0.3)
    commit = flows.embed.commit_shard

    def last(*arguments):
        counts = commit(*arguments)
        running = choosing._current.get()
        for nanny in nannies(running):
            running._started().client.sync(nanny.close)
        return counts

    monkeypatch.setattr(flows.embed, "commit_shard", last)
    set_params(many, engine={"runner": "dask", "workers": 1})
    with pytest.raises(InputError, match="no worker is there any more, expected 1 to start"):
        apart(embed, many)
    assert 0 < tables.count(Paths(many).base_table) < len(MANY)


def test_workers_leave_ctrl_c_to_the_driver(many, workers):
    before = [nanny.process.pid for nanny in nannies(workers)]
    for pid in before:
        os.kill(pid, signal.SIGINT)
    assert embed(many).written == len(MANY)
    assert [nanny.process.pid for nanny in nannies(workers)] == before


@task(name="embed shard")
def of_its_own_mind(job, part):
    """Encode the second chunk as a worker would that chooses the precision by itself."""
    if part.start == 16:
        other = job.settings.model_copy(update={"precision": "bfloat16"})
        job = replace(job, settings=other)
    return embed_shard.fn(job, part)


def test_a_worker_that_encodes_in_another_precision_is_refused(many, workers, monkeypatch):
    monkeypatch.setattr(flows.embed, "embed_shard", of_its_own_mind)
    with pytest.raises(InputError, match="a worker has encoded in bfloat16, expected float32"):
        embed(many)
    assert tables.count(Paths(many).base_table) == 16


def test_on_a_terminal_a_bar_counts_what_workers_have_finished(many, workers, monkeypatch, capsys):
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    embed(many)
    assert f"{len(MANY)}/{len(MANY)}" in capsys.readouterr().err


def test_the_engine_decides_on_nothing_that_is_made(made):
    set_params(made, engine={"runner": "dask", "workers": 2, "resubmit": 7})
    report = run(made)
    assert (report.ingest, report.embed, report.materialise) == (None, None, [])
    assert report.fit.fitted == []


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


def test_only_who_has_the_certificate_may_connect_and_only_from_this_machine(workers):
    client = workers._started().client
    address = client.scheduler.address
    assert address.startswith("tls://127.0.0.1:")
    another = Security.temporary().get_connection_args("client")
    with pytest.raises(OSError):
        client.sync(connect, address, timeout=2, **another)
    with pytest.raises(OSError):
        client.sync(connect, address.replace("tls", "tcp"), timeout=2)
    own = [os.getpid(), *(nanny.process.pid for nanny in nannies(workers))]
    listening = [
        place.laddr.ip
        for pid in own
        for place in psutil.Process(pid).net_connections("inet")
        if place.status == psutil.CONN_LISTEN
    ]
    assert set(listening) == {"127.0.0.1"}
