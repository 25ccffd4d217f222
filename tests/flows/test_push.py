"""What is sent to a remote after recording: a folder, and an S3-compatible server on loopback."""

import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

import tasks.record
from flows.checkout import checkout
from flows.run import run
from tasks.core.workspace.files import read_json
from tasks.core.workspace.paths import Paths
from tests.flows.history import AUTHOR, dvc, git, seen
from tests.world import documents, set_params, write_labels

pytestmark = pytest.mark.dvc


@pytest.fixture(scope="module")
def s3_server(tmp_path_factory):
    """The address of an empty S3-compatible server with the bucket `shop`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (tmp_path_factory.mktemp("s3") / "log").open("w")
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        _make_bucket(address)
        yield address
    finally:
        server.terminate()
        server.wait(30)
        log.close()


def _make_bucket(address):
    request = urllib.request.Request(f"{address}/shop", method="PUT")  # noqa: S310 - our own server
    for _ in range(300):
        try:
            with urllib.request.urlopen(request, timeout=10):  # noqa: S310 - as above
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(f"{address}: no S3 server answers")


def use_remote(root, **settings):
    for key, value in settings.items():
        place = "--local" if "key" in key else "--project"
        dvc(root, "config", place, f"remote.other.{key}", str(value))
    set_params(root, record={"author": AUTHOR, "push": True, "remote": "other"})
    git(root, "commit", "--quiet", "-am", "another remote")


def test_a_folder_gets_what_is_new_and_nothing_is_started_where_nothing_is(root, monkeypatch):
    calls = []
    real = tasks.record.dvc

    def counted(root, *arguments):
        calls.append(arguments[0])
        return real(root, *arguments)

    monkeypatch.setattr(tasks.record, "dvc", counted)
    assert run(root, commit=True).record.pushed == ()
    assert "push" not in calls
    write_labels(root, "mood", documents()[:50])
    assert run(root, commit=True).record.pushed == ("data",)
    assert calls.count("push") == 1


def test_a_push_that_fails_is_reported_and_made_up_for_by_the_next_record(root, tmp_path, capsys):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the remote's folder should be")
    use_remote(root, url=blocked)
    write_labels(root, "mood", documents()[:50])
    report = run(root, commit=True)
    assert report.record.tags == ("view/mood/v3",)
    assert "dvc push" in report.record.unsent[0]
    assert "the next one sends it" in capsys.readouterr().err
    blocked.unlink()
    assert run(root, commit=True).record.pushed == ("data",)
    assert [path for path in blocked.rglob("*") if path.is_file()]


def test_an_s3_store_holds_all_that_a_fresh_clone_needs(root, tmp_path, s3_server):
    keys = {"access_key_id": "testing", "secret_access_key": "testing"}
    use_remote(root, url="s3://shop/data", endpointurl=s3_server, region="us-east-1", **keys)
    write_labels(root, "mood", documents()[:50])
    assert run(root, commit=True).record.pushed == ("data",)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(root), str(clone))
    shutil.copyfile(root / ".dvc" / "config.local", clone / ".dvc" / "config.local")
    dvc(clone, "remote", "remove", "store")
    git(clone, "commit", "--quiet", "-am", "no other remote")
    assert checkout(clone, "main").fetched
    assert seen(clone) == seen(root)


def test_commits_and_tags_go_to_gits_remote_when_that_is_wanted(root, tmp_path):
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "up.git")
    git(root, "remote", "add", "origin", str(tmp_path / "up.git"))
    set_params(root, record={"author": AUTHOR, "push": False, "git_push": True})
    write_labels(root, "mood", documents()[:50])
    made = run(root, commit=True).record
    assert made.pushed == ("commits",)
    assert git(tmp_path / "up.git", "rev-parse", "main") == made.commit
    assert "view/mood/v3" in git(tmp_path / "up.git", "tag")
    assert read_json(Paths(root).pushed)["commits"]
    assert run(root, commit=True).record.pushed == ()
