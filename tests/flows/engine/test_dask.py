"""The same work on two workers of a real Dask cluster, whatever becomes of them."""

import os
import random
import shutil
import signal
import threading
from contextlib import suppress
from dataclasses import replace

import psutil
import pytest
from prefect import task

pytest.importorskip("prefect_dask")

from distributed.core import connect
from distributed.security import Security

import flows.embed
from flows.embed import embed
from flows.engine import choosing, on_dask
from flows.engine.choosing import engine
from flows.run import run
from tasks import progress
from tasks.core.settings.running_sections import EngineSettings
from tasks.core.store import tables
from tasks.core.transforms.card import TENSORS
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths
from tasks.embed import embed_shard
from tests.clusters import MANY, apart, poisoned
from tests.same import leftovers, orphaned, rows
from tests.world import set_params

pytestmark = pytest.mark.server

TWO = EngineSettings(runner="dask", workers=2, resubmit=2)


@pytest.fixture(scope="module")
def workers(tmp_path_factory):
    """Two workers, which all flows of this module share."""
    with engine(Paths(tmp_path_factory.mktemp("workers")), TWO) as made:
        yield made


@pytest.fixture(scope="module")
def whole(ingested, tmp_path_factory):
    """The workspace, made by this process alone."""
    root = shutil.copytree(ingested, tmp_path_factory.mktemp("whole") / "world")
    apart(run, root)
    return root


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


def test_what_two_workers_make_is_what_one_process_makes_bit_for_bit(whole, many, workers):
    (many / "data" / "labels" / "broken.csv").write_text("id,label\nt01,x\n")
    report = run(many)
    assert report.embed.encoded == len({row["text"] for row in MANY}) < len(MANY)
    assert list(report.fit.rejected) == ["broken"]
    assert_equal(many, whole)


def nannies(workers):
    """Return the watchers of the workers: each starts its own anew."""
    return list(workers._started()._cluster.workers.values())


def kill_at_random(workers, times, over):
    """Send SIGKILL to one worker after the other, at random moments, until `over` is set."""
    chance = random.Random(1)
    while times and not over.wait(chance.uniform(0, 0.4)):
        if workers._runner is None:  # the first flow starts them
            continue
        process = chance.choice(nannies(workers)).process
        if process is not None and process.pid is not None and process.is_alive():
            with suppress(ProcessLookupError):  # it is gone since
                os.kill(process.pid, signal.SIGKILL)
                times -= 1
    workers.killed = 20 - times


def test_workers_that_are_killed_twenty_times_lose_nothing_and_do_nothing_twice(
    whole, many, workers, monkeypatch
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
    assert_equal(many, whole)
    assert orphaned(many) == []


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
