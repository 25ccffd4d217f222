"""`refract serve` on a real git + DVC workspace: by the clock, by label files, side by side."""

import asyncio
import re
import shutil
import signal
import threading

import psutil
import pytest

from flows import Workspace
from flows.maintain import maintain
from flows.runtime.lock import writer
from flows.serving.serve import _until_stopped
from tasks.core.workspace.files import Hashes
from tasks.core.workspace.paths import Paths
from tests.browser import Browser, in_browser
from tests.flows.serving.desk import (
    at_rest,
    desk_processes,
    dvc_status,
    git,
    in_state,
    labelled,
    named,
    recorded,
    refract,
    runs,
    waiting_run,
    words_of,
)
from tests.foreign import attempt, changed, deployment_of, foreign_site, sign_in, status
from tests.serving import Served, fitted_from, up_to_date
from tests.world import documents, make_world, set_params, write_labels

pytestmark = [pytest.mark.server, pytest.mark.dvc, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def desk(tmp_path_factory, tiny_model):
    """A served workspace with 72 documents and two views; its Prefect server is its own."""
    folder = tmp_path_factory.mktemp("serve")
    root = make_world(folder / "desk", str(tiny_model), git=True)
    git(root, "config", "user.name", "Desk")
    git(root, "config", "user.email", "desk@example.org")
    set_params(root, serve={"port": 0, "settle": 0.3, "reconcile": 3_600})
    served = Served(root, folder / "log").ready()
    served.wait_until(lambda: up_to_date(root), "first run")
    yield served
    served.end()


class Resting:
    """A runner that has nothing to do."""

    started = True

    async def start(self):
        await asyncio.Event().wait()


def test_serve_does_not_go_on_without_its_label_watcher():
    ended = threading.Thread(target=int)
    ended.start()
    ended.join()
    with pytest.raises(RuntimeError, match="the label watcher ended; start 'refract serve' again"):
        asyncio.run(_until_stopped([Resting()], None, ended, None))


def test_the_first_start_makes_and_records_everything(desk):
    assert Workspace(desk.root).views == ["mood", "topic"]
    desk.wait_until(lambda: recorded(desk, "reconcile: "), "commit")
    assert {"view/mood/v1", "view/topic/v1"} <= set(git(desk.root, "tag").split())
    assert "up to date" in dvc_status(desk.root)


def test_a_cron_deployment_gets_scheduled_runs(desk):
    waiting = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}
    flows = {"flows": {"name": {"any_": ["corpus"]}}}
    desk.wait_until(lambda: len(runs(desk, **waiting, **flows)) >= 3, "scheduled runs")
    for run in runs(desk, **waiting, **flows):
        assert run["auto_scheduled"]


def test_a_local_process_without_the_secret_gets_nothing(desk):
    note = desk.note()
    deployment = deployment_of(desk, "maintain")
    routes = [
        *(("GET", path) for path in ("admin/version", "admin/settings", "version", "openapi.json")),
        *(("POST", path) for path in ("flows/filter", "flow_runs/filter", "logs/", "events")),
        ("PATCH", f"deployments/{deployment['id']}"),
        ("POST", f"deployments/{deployment['id']}/create_flow_run"),
        ("DELETE", f"deployments/{deployment['id']}"),
        ("POST", "admin/database/clear"),
    ]
    for method, path in routes:
        assert status(note["url"], path, method=method, body={}) == 401
        assert status(note["url"], path, method=method, body={}, secret="admin:pass") == 401
        assert status(note["url"], path, method=method, host="evil.example", body={}) == 400
    for method, path in routes[:6]:
        assert status(note["url"], path, method=method, body={}, secret=note["secret"]) == 200
    assert status(note["url"], "health") == 200  # says true, and no more
    assert changed(desk, deployment) == []


def test_the_secret_is_in_one_file_for_its_owner_alone(desk):
    note, paths = desk.note(), Paths(desk.root)
    assert paths.server_note.stat().st_mode & 0o777 == 0o600
    processes = [psutil.Process(desk.process.pid), *desk_processes(desk)]
    assert len(processes) > 2
    assert not any(note["secret"] in words_of(each) for each in processes)
    assert note["secret"] not in desk.said()
    assert f"sign in there with the secret in {paths.server_note}" in desk.said()
    secret = note["secret"].encode()
    holding = [f for f in desk.root.rglob("*") if f.is_file() and secret in f.read_bytes()]
    assert holding == [paths.server_note]


@in_browser
def test_a_foreign_page_gets_nothing_and_its_owner_signs_in(desk, tmp_path):
    deployment = deployment_of(desk, "maintain")
    note = desk.note()
    with foreign_site() as port, Browser(tmp_path / "profile") as browser:
        foreign = browser.open(f"http://127.0.0.1:{port}/")
        assert attempt(foreign, desk, deployment["id"]) == []
        ours = browser.open(note["url"].removesuffix("/api"))
        sign_in(ours, note["secret"])
    assert changed(desk, deployment) == []


def test_the_files_in_a_folder_of_labels_are_one_view(desk):
    rows, folder = documents(), desk.root / "data" / "labels" / "tone"
    folder.mkdir()
    (folder / "anna.csv").write_text(labelled(rows[:30]))
    desk.wait_until(lambda: recorded(desk, "labels/tone: 30 labels"), "first commit")
    (folder / "ben.csv").write_text(labelled(rows[30:60]))
    desk.wait_until(lambda: recorded(desk, "labels/tone: 60 labels"), "second commit")
    assert Workspace(desk.root).view("tone").hits("thank you so much", k=1)[0]["label"] == "glad"


def test_a_label_file_becomes_a_view_without_a_command(desk):
    rows = documents()
    file = desk.root / "data" / "labels" / "heat.csv"
    file.write_text(labelled(rows[:40]))
    desk.wait_until(lambda: "heat" in Workspace(desk.root).views, "view")
    desk.wait_until(lambda: recorded(desk, "labels/heat: 40 labels"), "commit")
    hits = Workspace(desk.root).view("heat").hits("thank you so much", k=3)
    assert {hit["label"] for hit in hits} == {"glad"}
    desk.wait_until(lambda: "view/heat/v1" in git(desk.root, "tag").split(), "tag")
    assert named(desk, "labels/heat")
    again = runs(desk)
    file.write_text(labelled(rows[:40]))
    desk.wait_until(lambda: len(named(desk, "labels/heat")) >= 2, "second run")
    desk.wait_until(
        lambda: all(run["state"]["type"] == "COMPLETED" for run in named(desk, "labels/heat")),
        "its end",
    )
    assert len(runs(desk)) > len(again)
    assert "view/heat/v2" not in git(desk.root, "tag").split()


def test_flow_runs_are_forks_of_one_process_and_a_killed_one_is_reported(desk):
    rows = documents()
    desk.wait_until(lambda: at_rest(desk), "rest")
    with writer(Paths(desk.root)):
        first = waiting_run(desk, "topic", rows[:60])
        server = first.parent()
        first.kill()
        desk.wait_until(lambda: in_state(desk, "labels/topic", "CRASHED"), "report")
        (crashed,) = in_state(desk, "labels/topic", "CRASHED")
        assert "status code: -9" in crashed["state"]["message"]
        second = waiting_run(desk, "topic", rows[2:62])
        assert second.pid != first.pid
        assert second.parent() == server
        assert server.num_threads() == 1
    made = Hashes(desk.root / ".refract" / "test-hashes.json").all(
        [desk.root / "data" / "labels" / "topic.csv"]
    )
    desk.wait_until(lambda: fitted_from(desk.root, "topic") == made[0], "view")


def test_five_files_at_once_a_rewritten_one_and_a_bad_one(desk):
    rows, folder = documents(), desk.root / "data" / "labels"
    names = [f"aspect{n}" for n in range(5)]
    for n, name in enumerate(names):
        (folder / f"{name}.csv").write_text(labelled(rows[n : n + 40]))
    (folder / "broken.csv").write_text("id,label\nt00,glad\n")
    desk.wait_until(lambda: fitted_from(desk.root, "aspect0"), "first of five views")
    (folder / "aspect0.csv").write_text(labelled(rows[20:70]))
    for name in names:
        file = folder / f"{name}.csv"
        hashes = Hashes(desk.root / ".refract" / "test-hashes.json")
        desk.wait_until(
            lambda f=file, n=name, h=hashes: fitted_from(desk.root, n) == h.all([f])[0],
            f"view {name}",
        )
    desk.wait_until(lambda: named(desk, "labels/broken"), "run of the bad file")
    desk.wait_until(
        lambda: all(run["state"]["type"] == "FAILED" for run in named(desk, "labels/broken")),
        "its failure",
    )
    message = named(desk, "labels/broken")[0]["state"]["message"]
    assert "broken.csv: found 1 usable of 1 rows; expected at least 10" in message
    assert "labels/broken: failed, " in desk.said()
    assert "Traceback" not in desk.said()
    (folder / "broken.csv").unlink()


def test_a_command_by_hand_uses_the_same_server_and_waits_for_its_turn(desk):
    desk.wait_until(lambda: up_to_date(desk.root), "rest")
    write_labels(desk.root, "topic", documents()[5:65])
    done = refract(desk.root, "run")
    assert done.returncode == 0, done.stderr
    assert up_to_date(desk.root)
    assert any(run["name"] == "run" for run in runs(desk))


def test_a_second_serve_is_refused(desk):
    done = refract(desk.root, "serve")
    assert (done.returncode, done.stdout) == (2, "")
    assert "another 'refract serve' runs here" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_removed_label_file_is_reported_and_retires_its_view_only_when_asked_to(desk):
    file = desk.root / "data" / "labels" / "aspect4.csv"
    before = len(named(desk, "labels/aspect4"))
    file.unlink()
    desk.wait_until(lambda: len(named(desk, "labels/aspect4")) > before, "run")
    status = refract(desk.root, "status")
    assert "its label file is gone; transform and view are kept" in " ".join(status.stdout.split())
    assert "aspect4" in Workspace(desk.root).views
    set_params(desk.root, materialise={"retire": True})
    (desk.root / "data" / "labels" / "aspect3.csv").unlink()
    desk.wait_until(lambda: not {"aspect3", "aspect4"} & set(Workspace(desk.root).views), "end")
    assert "aspect2" in Workspace(desk.root).views
    desk.wait_until(lambda: up_to_date(desk.root), "rest")
    assert not list((desk.root / "data").rglob("*aspect4*"))


def test_each_run_leaves_what_it_made_to_look_at(desk):
    left = {item["key"]: item["data"] for item in desk.api("artifacts/filter", {"limit": 200})}
    assert {"ingest", "embed", "fit", "materialise", "run", "view-heat"} <= set(left)
    heat = re.fullmatch(r"\[the report of heat\]\((http://[^/]+)/(.+)\)", left["view-heat"])
    assert status(*heat.groups()) == 404  # until 'refract report' has drawn it
    page = Paths(desk.root).report("heat")
    page.parent.mkdir(exist_ok=True)
    page.write_text("a report")
    assert status(*heat.groups()) == 200
    assert status(heat[1], heat[2][:-1]) == 403


def test_a_kill_leaves_no_process_and_the_next_start_goes_on_until_a_signal(desk, tmp_path):
    root = desk.root
    desk.wait_until(lambda: at_rest(desk), "rest")  # or a late run would wait in its place
    with writer(Paths(root)):
        waiting_run(desk, "mood", documents()[:30])
        below = psutil.Process(desk.process.pid).children(recursive=True)
        assert desk.stop(signal.SIGKILL) == -signal.SIGKILL
        assert psutil.wait_procs(below, timeout=60)[1] == []
    set_params(root, serve={"reconcile": 5})
    again = Served(root, tmp_path / "log").ready()
    try:
        again.wait_until(lambda: up_to_date(root), "what was missed")
        assert (
            fitted_from(root, "mood")
            == Hashes(tmp_path / "h.json").all([root / "data" / "labels" / "mood.csv"])[0]
        )
        again.wait_until(lambda: len(named(again, "reconcile")) >= 2, "a run by the interval")
        assert again.stop(signal.SIGINT) == 0
        assert not Paths(root).server_note.exists()
    finally:
        again.end()


def test_readers_meet_an_old_view_or_a_new_one_while_it_is_maintained(desk, tmp_path):
    root = shutil.copytree(desk.root, tmp_path / "copy")
    set_params(root, maintain={"keep_days": 0, "fragments": 2})
    view = Workspace(root).view("mood")
    old = view.hits("thank you so much", k=10)
    reports = {report.name: report for report in maintain(root)}
    assert reports["mood"].after.versions == 1
    assert reports["base"].before.fragments > reports["base"].after.fragments == 1
    assert view.hits("thank you so much", k=10) == old
    assert Workspace(root).view("mood").hits("thank you so much", k=10) == old
    assert "up to date" in dvc_status(root)
