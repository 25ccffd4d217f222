"""While a workspace in a store is written: killed, read elsewhere, and with the store away."""

import itertools
import os
import random
import shutil
import signal
import threading
import time

import pytest
from prefect.settings import PREFECT_API_URL

from flows import Workspace
from flows.run import run
from tasks.core.remote import driving, handover
from tasks.core.remote.pointers import pointer_at
from tasks.core.store import tables
from tasks.core.workspace.paths import Paths
from tests.children import Child, refract
from tests.commands import refused
from tests.same import assert_same
from tests.world import documents, make_world, set_params, write_documents, write_labels

pytestmark = pytest.mark.server
REFITS = 5  # held with ten as well, which take another 20 s
QUERY = "thank you, the parcel is late"


def killed_in(root, target, nth):
    """Run in a child that dies right after the `nth` call of `target`."""
    child = Child(PREFECT_API_URL.value(), root, None, _doomed, root, target, nth)
    assert child.wait() == -signal.SIGKILL


def _doomed(root, target, nth):
    import lance

    known = (owner for owner in (driving, handover) if hasattr(owner, target))
    owner = next(known, lance.LanceDataset)
    real, calls = getattr(owner, target), itertools.count(1)

    def deadly(*arguments, **options):
        made = real(*arguments, **options)
        if next(calls) == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return made

    setattr(owner, target, staticmethod(deadly) if owner is lance.LanceDataset else deadly)
    run(root)


def test_a_driver_killed_amid_commits_ends_like_one_that_never_was(tmp_path, tiny_model, bucket):
    root = make_world(tmp_path / "world", str(tiny_model))
    set_params(root, store=bucket.settings(url="s3://bucket/killed"))
    whole = make_world(tmp_path / "whole", str(tiny_model))
    rows = documents()
    for target, nth, many in (("commit", 2, 40), ("_follow", 4, 60)):
        write_documents(root, rows[:many])
        killed_in(root, target, nth)
    write_documents(root, rows[:50])
    killed_in(root, "hold", 1)
    for place in (whole, root):
        write_labels(place, "mood", rows[:60:2])
        write_documents(place, rows[:66])
    killed_in(root, "commit", 2)
    run(root)
    run(whole)
    assert_same(root, whole)


def test_the_command_line_killed_at_any_moment_is_finished_by_the_next(
    stored,
):
    root = stored("anytime")
    rows = documents()
    for seed in range(3):
        write_documents(root, [{**row, "text": f"{row['text']} {seed}"} for row in rows])
        command = Child(PREFECT_API_URL.value(), root, None, refract, "run")
        time.sleep(random.Random(seed).uniform(0.3, 3.0))
        command.send_signal(signal.SIGKILL)
        command.wait()
    run(root)
    texts = Workspace(root).view("mood").frame().sort("id")["text"].to_list()
    assert texts == [f"{row['text']} 2" for row in rows]
    assert (
        texts == Workspace("s3://bucket/anytime").view("mood").frame().sort("id")["text"].to_list()
    )


def test_a_reader_elsewhere_sees_one_recorded_version_or_the_next_and_never_a_mixture(
    stored,
):
    root, url = stored("read"), "s3://bucket/read"
    set_params(root, materialise={"keep": 2})
    run(root)
    recorded, seen, errors, done = [], [], [], threading.Event()

    def answer(place):
        return [(hit["id"], hit["label"], hit["score"]) for hit in place.hits(QUERY, k=72)]

    recorded.append(answer(Workspace(root).view("mood")))

    def read():
        reader = Workspace(url)
        opened = reader.view("mood")
        while not done.is_set():
            try:
                for view in (reader.view("mood"), opened):
                    seen.append(answer(view))
            except Exception as error:  # whatever it is, it fails the test
                errors.append(error)
                return

    thread = threading.Thread(target=read)
    thread.start()
    try:
        for refit in range(REFITS):
            many = 72 - 3 * refit
            write_labels(root, "mood", documents()[:many])
            run(root)
            recorded.append(answer(Workspace(root).view("mood")))
    finally:
        done.set()
        thread.join()
    assert errors == []
    assert all(found in recorded for found in seen)
    assert seen[0] == recorded[0]
    assert answer(Workspace(url).view("mood")) == recorded[-1]
    assert len({str(found) for found in seen}) > 2


def test_of_two_drivers_the_second_is_refused_and_the_first_goes_on(stored, tmp_path):
    root = stored("two")
    other = shutil.copytree(root, tmp_path / "other")
    write_documents(root, documents()[:60])
    run(root)
    write_documents(other, documents()[:50])
    assert "another workspace writes there" in refused(other, "run")
    write_documents(root, documents())
    run(root)
    assert tables.count(Paths(root).view_table("mood")) == 72
    assert pointer_at(Paths(root).view_table("mood")).begun is None
    assert len(Workspace(other).view("base").frame()) == 72  # its own version, still


def test_a_run_rides_out_a_store_that_is_away_and_a_long_absence_is_one_line(stored, bucket):
    root = stored("away")
    set_params(root, store={"patience": 30.0})
    write_documents(root, documents()[:60])
    bucket.stop()
    threading.Timer(4.0, bucket.start).start()
    run(root)
    assert tables.count(Paths(root).view_table("mood")) == 60
    set_params(root, store={"patience": 1.0})
    write_documents(root, documents())
    bucket.stop()
    try:
        assert "expected an object store that answers" in refused(root, "run")
    finally:
        bucket.start()
    assert tables.count(Paths(root).view_table("mood")) == 60
    run(root)
    assert tables.count(Paths(root).view_table("mood")) == 72
