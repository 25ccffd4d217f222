"""Which views that follow labels become versions: the first at once, others once labels rest."""

import signal
import time

import pytest

from flows.explore.learning.versions_due import VersionsDue
from tasks.core.workspace.paths import Paths
from tests.exploring import Events, Explored, posting
from tests.flows.history import git
from tests.serving import with_server
from tests.world import documents, set_params

pytestmark = [pytest.mark.server, pytest.mark.dvc, pytest.mark.timeout(600)]


def tags(root):
    return set(git(root, "tag", "--list", "view/*").split())


def explored(root, log, rest):
    set_params(root, serve={"settle": 0.3, "version_rest": rest})
    return Explored(root, log, **with_server())


def test_a_view_that_goes_on_being_labelled_is_a_version_once_that_rests(root, tmp_path):
    before, [_, row] = tags(root), documents()[:2]  # of which the second has no mood yet
    served = explored(root, tmp_path / "first", 3_600)
    events = Events(served)
    label = {"id": row["id"], "label": row["mood"]}
    assert served.post("/views/mood/labels", posting([label])).status == 200
    live = events.wait("live", view="mood")
    assert live["version"] is None
    while not VersionsDue(Paths(root)) or served.get("/views/mood").json["fitting"]:
        time.sleep(0.2)
    assert tags(root) == before
    served.process.send_signal(signal.SIGKILL)
    served.process.wait()
    events.close()

    served = explored(root, tmp_path / "second", 0.5)
    try:
        while tags(root) == before:
            time.sleep(0.2)
        assert tags(root) - before == {"view/mood/v3"}
        assert served.get("/views/mood").json["transform"] == live["transform"]
        set_params(root, serve={"settle": 0.3, "version_rest": 3_600})
        events = Events(served)
        subjects = [{"id": row["id"], "label": row["topic"]} for row in documents()[:40]]
        assert served.post("/views/subject/labels", posting(subjects)).status == 200
        assert events.wait("version", view="subject")["version"] == "view/subject/v1"
        events.close()
    finally:
        served.end()
    assert not Paths(root).versions_due.exists()


def test_what_is_due_rests_anew_with_each_fit_and_outlives_the_process(tmp_path):
    paths = Paths(tmp_path)
    due = VersionsDue(paths)
    assert not due and due.rested(0) is None
    due.owe("mood")
    due.owe("topic")
    assert due.rested(0) == "mood"
    assert due.rested(60) is None
    left = VersionsDue(paths)
    assert left and left.rested(0) == "mood"
    left.settle()
    assert not left and not VersionsDue(paths)
