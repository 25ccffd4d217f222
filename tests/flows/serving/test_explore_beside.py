"""`refract serve` with `refract explore` beside it: one fits, the other takes labels and tells."""

import os
import signal
import socket
import subprocess
import time

import psutil
import pytest

from flows.runtime.server.server_note import known
from flows.serving.explore_beside import explore_beside
from tasks.core.labels.inbox.posted_rows import read_posted
from tasks.core.settings.params import load_params
from tasks.core.workspace.files import read_json
from tasks.core.workspace.paths import Paths
from tests.exploring import Asked, Events
from tests.serving import Served, up_to_date
from tests.world import documents, make_world, set_params

pytestmark = [pytest.mark.server, pytest.mark.dvc, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def desk(tmp_path_factory, tiny_model):
    folder = tmp_path_factory.mktemp("beside")
    root = make_world(folder / "desk", str(tiny_model), git=True, method="auto")
    for words in (("user.name", "Desk"), ("user.email", "desk@example.org")):
        subprocess.run(["git", "config", *words], cwd=root, check=True)
    serve = {"port": 0, "explore_port": 0, "settle": 0.3, "reconcile": 3_600}
    set_params(root, serve=serve)
    served = Served(root, folder / "log").ready()
    served.wait_until(lambda: up_to_date(root), "first run")
    yield served
    served.end()


@pytest.fixture(scope="module")
def asked(desk):
    """The service beside it."""
    note = Paths(desk.root).explore_note
    desk.wait_until(note.is_file, "note of explore")
    found = read_json(note)
    return Asked(found["url"], found["secret"])


def post(asked, rows, key):
    reply = asked.post("/views/subject/labels", {"key": key, "rows": rows})
    assert reply.status == 200, reply.body
    return reply.json


def test_labels_that_are_posted_beside_serve_are_fitted_and_recorded_by_it(desk, asked):
    assert "'refract explore' tells the link" in desk.said()
    assert asked.token not in desk.said()
    events = Events(asked)
    rows = [{"id": row["id"], "label": row["topic"]} for row in documents()]
    assert post(asked, rows[:4], "a")["labels_needed"]["found"] == 4
    assert events.wait("labels", view="subject")["labelled"] == 4
    assert post(asked, rows[4::2], "b")["labels_needed"] is None
    events.wait("fit", view="subject")
    live = events.wait("live", view="subject")
    recorded = events.wait("version", view="subject")
    assert (recorded["version"], recorded["transform"]) == ("view/subject/v1", live["transform"])
    assert asked.get("/views/subject").json["version"] == "view/subject/v1"
    desk.wait_until(lambda: "labels/subject: done" in desk.said(), "end of the run")
    assert "labels/subject: failed" not in desk.said()
    events.close()


def test_names_of_labels_that_are_laid_there_are_a_view_that_serve_makes_and_records(desk, asked):
    events, names = Events(asked), Paths(desk.root).classes("kind")
    names.write_text("delivery: the parcel, a courier\nrefund: my money back, credit\n", "utf-8")
    live = events.wait("live", view="kind")
    version = events.wait("version", view="kind")
    assert (version["version"], version["transform"]) == ("view/kind/v1", live["transform"])
    found = asked.get("/views/kind").json
    assert (found["labels"], found["rows"]) == (["delivery", "refund"], 72)
    desk.wait_until(lambda: "labels/kind: done" in desk.said(), "end of the run")
    events.close()


def test_a_killed_serve_takes_explore_with_it_and_no_label_is_lost(desk, asked):
    rows = [{"id": row["id"], "label": row["topic"]} for row in documents()[::2]]
    post(asked, rows, "c")
    desk.stop(signal.SIGKILL)
    last = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(asked.host.split(":"), timeout=1).close()
        except OSError:
            break
        assert time.monotonic() < last, "explore still answers"
        time.sleep(0.1)
    file = Paths(desk.root).posted_labels("subject", "explore")
    assert {row["id"] for row in rows} <= read_posted(file).keys()


def test_stopped_by_ctrl_c_serve_ends_explore_and_says_nothing_of_it(desk):
    again = Served(desk.root, desk.log).ready()
    paths = Paths(desk.root)
    try:
        again.wait_until(lambda: known(paths, paths.explore_note), "answer of explore")
        os.killpg(again.process.pid, signal.SIGINT)  # as a terminal does
        again.process.wait(60)
    finally:
        again.end()
    assert "all else goes on" not in again.said()
    assert not paths.explore_note.exists()


@pytest.fixture
def free(made):
    """A workspace whose settings name no port for explore."""
    set_params(made, serve={"explore_port": 0})
    return Paths(made), load_params(Paths(made).params)


def said(capfd, line):
    """Wait until this line is told on the standard error."""
    found, last = "", time.monotonic() + 60
    while line not in (found := found + capfd.readouterr().err):
        assert time.monotonic() < last, found
        time.sleep(0.05)
    return found


def answers(paths):
    """Wait until explore answers."""
    last = time.monotonic() + 60
    while not known(paths, paths.explore_note):
        assert time.monotonic() < last, "explore does not answer"
        time.sleep(0.05)


def test_an_explore_that_is_ended_by_somebody_else_is_told_of(free, capfd):
    before = set(psutil.Process().children())
    with explore_beside(*free):
        answers(free[0])
        (child,) = set(psutil.Process().children()) - before
        child.terminate()
        told = said(capfd, "explore ended (exit code 0); 'refract explore' starts it again")
    assert "already" not in told


def test_where_explore_runs_already_no_other_is_started(free, capfd):
    with explore_beside(*free):
        answers(free[0])
        before = set(psutil.Process().children())
        with explore_beside(*free):
            assert set(psutil.Process().children()) == before
            said(capfd, "explore runs here already; all else goes on")
        assert free[0].explore_note.is_file()
    assert "ended" not in capfd.readouterr().err
