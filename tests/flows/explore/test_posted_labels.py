"""Labels that are posted to a service: taken in or refused, and lost by no kill."""

import http.client
import json
import random
import shutil
import signal
import threading

import pytest

from tasks.core.labels.inbox.posted_rows import read_posted
from tasks.core.workspace.paths import Paths
from tests.exploring import Events, Explored, by_topic, learning_from, posting
from tests.serving import with_server
from tests.world import documents, set_params

pytestmark = [pytest.mark.server, pytest.mark.timeout(600)]
TRUTH = {row["id"]: row for row in documents()}


@pytest.fixture(scope="module")
def taking(_made, tmp_path_factory):
    """A service that only takes labels in: they rest for ten minutes."""
    with learning_from(_made, tmp_path_factory.mktemp("taking"), settle=600) as served:
        yield served


def test_a_request_that_comes_again_gets_the_same_answer_and_changes_nothing(taking):
    asked = posting(by_topic(["t01", "t02"]), "ann")
    first = taking.post("/views/pace/labels", asked).json
    file = taking.root / first["file"]
    before = file.read_bytes(), file.stat().st_mtime_ns
    again = taking.post("/views/pace/labels", asked).json
    assert again == first | {"repeated": True}
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before
    other = taking.post("/views/pace/labels", asked | {"rows": by_topic(["t03"])})
    assert other.status == 400 and "key: found that of an earlier request" in other.detail


def test_two_people_who_label_the_same_text_at_once_are_two_annotators(taking):
    def work(who, label):
        for n in range(10):
            rows = [{"id": f"t{n:02}", "label": label if n % 2 else "same"}]
            assert taking.post("/views/speed/labels", posting(rows, who)).status == 200

    threads = [
        threading.Thread(target=work, args=each) for each in (("ann", "slow"), ("bob", "fast"))
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    stands = {row["id"] for row in taking.get("/views/speed/labels").json["rows"]}
    assert stands == {f"t{n:02}" for n in range(0, 10, 2)}
    for who in ("ann", "bob"):
        assert len(read_posted(Paths(taking.root).posted_labels("speed", who))) == 10


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/views/base/labels", 400),
        ("/views/UPPER/labels", 400),
        ("/views/..%2f..%2fetc/labels", 404),
        ("/views/%2e%2e/labels", 400),
        ("/views/a%00b/labels", 400),
        (f"/views/{'x' * 64}/labels", 400),
    ],
)
def test_a_name_that_no_instruction_may_have_writes_nothing(taking, path, status):
    before = sorted(Paths(taking.root).labels.rglob("*"))
    reply = taking.post(path, posting(by_topic(["t01"])))
    assert reply.status == status, reply.body
    assert sorted(Paths(taking.root).labels.rglob("*")) == before


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"rows": [{"id": "nobody", "label": "x"}]}, 400),
        ({"rows": [{"id": "t01' OR '1'='1", "label": "x"}]}, 400),
        ({"rows": [{"id": "t01\x00", "label": "x"}]}, 400),
        ({"rows": [{"text": "not in the corpus", "label": "x"}]}, 400),
        ({"rows": [{"id": "t01", "label": ""}]}, 400),
        ({"rows": [{"id": "t01", "label": "[0, 1, 0]"}]}, 400),
        ({"rows": [{"id": "t01", "label": "\ud800"}]}, 400),
        ({"rows": [{"id": "\ud800", "label": "x"}]}, 400),
        ({"rows": [{"id": "t01", "label": "x"}, {"label": "x"}]}, 400),
        ({"rows": [{"id": "t01"}]}, 422),
        ({"rows": []}, 422),
        ({"rows": [{"id": "t01", "label": "x"}] * 10_001}, 422),
        ({"rows": [{"id": 1, "label": "x"}]}, 422),
        ({"rows": [{"id": "t01", "label": "x", "more": 1}]}, 422),
        ({"annotator": "../ann"}, 422),
        ({"annotator": ""}, 422),
        ({"annotator": "a" * 41}, 422),
        ({"key": ""}, 422),
        ({"key": "k" * 201}, 422),
        ({"key": "a\nb"}, 400),
        ({"key": "\ud800"}, 422),
        ({"\ud800": 1}, 422),
        ({"known_as": "another"}, 409),
        ({"key": float("nan")}, 422),
        ({"key": "k" * (33 << 20)}, 413),
    ],
)
def test_a_request_of_which_anything_cannot_be_taken_writes_nothing(taking, change, status):
    before = sorted(Paths(taking.root).labels.rglob("*"))
    reply = taking.post("/views/pace/labels", posting(by_topic(["t01"])) | change)
    assert reply.status == status, reply.body
    assert sorted(Paths(taking.root).labels.rglob("*")) == before
    assert b"Traceback" not in reply.body
    assert len(reply.body) < 2_000  # nothing that was sent is sent back


def test_labels_are_taken_from_nobody_without_the_token_nor_from_another_page(taking):
    asked = posting(by_topic(["t01"]))
    assert taking.post("/views/none/labels", asked, token=None).status == 401
    headers = {"Authorization": f"Bearer {taking.token}", "Content-Type": "text/plain"}
    content = json.dumps(asked).encode()
    for foreign in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        reply = taking.ask("POST", "/views/none/labels", headers | foreign, content)
        assert reply.status == 403
    assert not (Paths(taking.root).labels / "none").exists()


def test_nothing_is_written_beside_a_label_file_that_cannot_be_read(taking):
    folder = Paths(taking.root).labels / "beside"
    folder.mkdir()
    (folder / "x.csv").write_text("neither,nor\n1,2\n")
    try:
        reply = taking.post("/views/beside/labels", posting(by_topic(["t01"])))
        assert reply.status == 400 and "x.csv" in reply.detail
        assert [file.name for file in folder.iterdir()] == ["x.csv"]
    finally:
        shutil.rmtree(folder)


def test_nothing_is_written_through_a_link(taking, tmp_path):
    labels = Paths(taking.root).labels
    (labels / "linked").symlink_to(tmp_path)
    try:
        reply = taking.post("/views/linked/labels", posting(by_topic(["t01"])))
    finally:
        (labels / "linked").unlink()
    assert reply.status == 400 and "found a link" in reply.detail
    assert list(tmp_path.iterdir()) == []


def test_a_kill_amid_posts_loses_no_label_that_was_acknowledged(_made, tmp_path):
    moments, ids = random.Random(5), list(TRUTH)
    root = shutil.copytree(_made, tmp_path / "world")
    set_params(root, serve={"settle": 600})
    file = Paths(root).posted_labels("pace", "ann")
    possible: dict[str, set[str]] = {}
    acknowledged: set[str] = set()
    for turn in range(4):
        served = Explored(root, tmp_path / "log", **with_server())
        assert served.get("/views").status == 200
        killer = threading.Timer(moments.random(), served.end)
        killer.start()
        for n in range(10_000):
            key, label = moments.choice(ids), f"label {turn}-{n}"
            possible.setdefault(key, set()).add(label)  # it may be taken in, and nobody told
            try:
                rows = [{"id": key, "label": label}]
                reply = served.post("/views/pace/labels", posting(rows, "ann"))
            except (OSError, http.client.HTTPException):
                break
            assert reply.status == 200, reply.body
            possible[key] = {label}
            acknowledged.add(key)
        killer.join()
        found = {key: row.label for key, row in read_posted(file).items()}
        assert acknowledged <= found.keys()
        assert all(label in possible[key] for key, label in found.items())
    assert acknowledged


def test_labels_that_a_kill_has_left_without_a_fit_are_fitted_by_the_next_start(_made, tmp_path):
    with learning_from(_made, tmp_path, settle=600) as served:
        served.post("/views/pace/labels", posting(by_topic(list(TRUTH)[::2])))
    set_params(served.root, serve={"settle": 0.3})
    again = Explored(served.root, tmp_path / "again", **with_server())
    try:
        events = Events(again)
        assert again.get("/views/pace").json["rows"] or events.wait("live", view="pace")
        events.close()
    finally:
        again.end()


def test_a_stream_that_is_listened_to_does_not_keep_the_service_from_ending(taking):
    # The last one here: nobody else needs the service.
    events = Events(taking)
    assert taking.stop(signal.SIGTERM) == 0
    assert not Paths(taking.root).explore_note.exists()
    events.close()
