"""Labels that are posted while one looks: taken in, told, learnt from, and lost by no kill."""

import http.client
import json
import random
import shutil
import signal
import threading
import time
import uuid

import pytest

from flows import Workspace
from flows.runtime.lock import serving
from tasks.core.labels.inbox.posted_rows import read_posted
from tasks.core.workspace.paths import Paths
from tests.commands import refract
from tests.exploring import Events, Explored, learning_from
from tests.serving import with_server
from tests.world import documents, set_params

pytestmark = [pytest.mark.server, pytest.mark.timeout(600)]
TRUTH = {row["id"]: row for row in documents()}


@pytest.fixture(scope="module")
def learning(_made, tmp_path_factory):
    with learning_from(_made, tmp_path_factory.mktemp("learning")) as served:
        yield served


@pytest.fixture
def taking(_made, tmp_path):
    """A service that only takes labels in: they rest for ten minutes."""
    with learning_from(_made, tmp_path, settle=600) as served:
        yield served


def body(rows, annotator="explore", key=None):
    return {"key": key or str(uuid.uuid4()), "annotator": annotator, "rows": rows}


def by_topic(ids):
    return [{"id": key, "label": TRUTH[key]["topic"]} for key in ids]


def test_from_the_first_label_of_a_new_instruction_to_its_first_live_view(learning):
    events = Events(learning)
    suggested = learning.get("/views/subject/suggest", n=30).json["texts"]
    assert {text["why"] for text in suggested} == {"covers the corpus"}
    first, later = suggested[:4], suggested[4:]
    reply = learning.post("/views/subject/labels", body(by_topic(text["id"] for text in first)))
    assert reply.status == 200, reply.body
    assert reply.json["labels_needed"] == {"found": 4, "expected": 10, "why": ""} | {
        "classes": len({TRUTH[text["id"]]["topic"] for text in first})
    }
    assert events.wait("labels", view="subject")["labelled"] == 4
    left = {text["id"] for text in learning.get("/views/subject/suggest", n=72).json["texts"]}
    assert not left & {text["id"] for text in first}
    rows = [{"text": text["text"], "label": TRUTH[text["id"]]["topic"]} for text in later]
    assert learning.post("/views/subject/labels", body(rows, "ann")).json["labels_needed"] is None
    events.wait("fit", view="subject")
    live = events.wait("live", view="subject")
    assert live["rows"] == 72 and live["transform"] and live["after"].keys() >= {"triplets"}
    found = learning.get("/views/subject").json
    assert (found["rows"], found["transform"]) == (72, live["transform"])
    assert set(found["labels"]) == {"delivery", "refund", "account"}
    assert {text["why"] for text in learning.get("/views/subject/suggest").json["texts"]} <= {
        "novel",
        "boundary",
    }
    doubted = learning.get("/views/subject/doubts", n=5).json
    Paths(learning.root).doubts("subject").unlink()  # the command is to find them for itself
    known = json.loads(refract(learning.root, "doubts", "subject", "--limit", "5", "--json").out)
    assert doubted == known
    events.close()


def test_names_of_labels_begin_a_view_which_labels_take_over_once_they_are_enough(learning):
    names = ["delivery: the parcel, a courier", "refund: my money back", "account: the login page"]
    events, place = Events(learning), "/views/kind/classes"
    reply = learning.post(place, {"classes": names})
    assert reply.json == {
        "file": "data/labels/kind.classes.txt",
        "classes": ["delivery", "refund", "account"],
    }
    named = events.wait("live", view="kind")
    found = learning.get("/views/kind").json
    assert (found["rows"], found["labelled"], found["gate"]["state"]) == (72, 0, "unproven")
    assert found["labels_needed"].items() >= {"found": 0, "expected": 10, "classes": 0}.items()
    assert found["scores"]["right"] is None and found["scores"]["after"] == {}
    assert learning.post(place, {"classes": names}).json == reply.json
    refused = learning.post(place, {"classes": names[:2]})
    assert refused.status == 400 and "expected a new one" in refused.detail
    assert learning.post(place, {"classes": names, "known_as": "another"}).status == 409
    keys = [row["id"] for row in documents()]
    reply = learning.post("/views/kind/labels", body(by_topic(keys[:4]))).json
    assert reply["labels_needed"]["found"] == 4
    assert learning.get("/views/kind").json["labels_needed"]["found"] == 4
    assert learning.post("/views/kind/labels", body(by_topic(keys[4:])))
    live = events.wait("live", view="kind")
    assert live["transform"] != named["transform"] and live["after"]["triplets"] > 90
    found = learning.get("/views/kind").json
    assert (found["labelled"], found["labels_needed"]) == (72, None)
    events.close()


def test_a_correction_in_the_browser_wins_over_the_file_and_the_view_learns_it(learning):
    events = Events(learning)
    before = learning.get("/views/mood").json["transform"]
    labels = {row["id"]: row["label"] for row in learning.get("/views/mood/labels").json["rows"]}
    wrong = [{"id": key, "label": "glad"} for key, label in labels.items() if label == "angry"][:3]
    reply = learning.post("/views/mood/labels", body(wrong, "ann")).json
    assert reply["file"] == "data/labels/mood/explore-ann.jsonl"
    assert (reply["accepted"], reply["unchanged"], reply["replaced"]) == (3, 0, [])
    live = events.wait("live", view="mood")
    assert live["transform"] != before
    rows = {row["id"]: row for row in learning.get("/views/mood/labels").json["rows"]}
    assert all(rows[each["id"]]["label"] == "glad" for each in wrong)
    assert {rows[each["id"]]["annotator"] for each in wrong} == {"ann"}
    assert rows.keys() == labels.keys()
    undone = learning.post(
        "/views/mood/labels", body([each | {"label": None} for each in wrong], "ann")
    ).json
    assert undone["replaced"] == [each | {"before": "glad", "label": None} for each in wrong]
    assert events.wait("live", view="mood")["transform"] == before
    now = {row["id"]: row["label"] for row in learning.get("/views/mood/labels").json["rows"]}
    assert now == labels
    assert not (Paths(learning.root).labels / "mood").exists()
    events.close()


def test_the_end_of_a_fit_that_changes_nothing_is_told(learning):
    events = Events(learning)
    before = learning.get("/views/mood").json["transform"]
    rows = learning.get("/views/mood/labels").json["rows"]
    again = [{"id": rows[0]["id"], "label": rows[0]["label"]}]
    learning.post("/views/mood/labels", body(again, "ann"))
    events.wait("fit", view="mood")
    events.wait("fitted", view="mood")
    assert learning.get("/views/mood").json["transform"] == before
    assert not learning.get("/views/mood").json["fitting"]
    learning.post("/views/mood/labels", body([row | {"label": None} for row in again], "ann"))
    events.wait("fitted", view="mood")
    events.close()


def test_what_serve_has_left_when_it_ended_is_fitted(learning):
    events = Events(learning)
    key = learning.get("/views/mood/labels").json["rows"][0]["id"]
    other = {"glad": "angry", "angry": "glad"}[TRUTH[key]["mood"]]
    with serving(Paths(learning.root), "it is free"):
        learning.post("/views/mood/labels", body([{"id": key, "label": other}], "ann"))
        events.wait("labels", view="mood")
        time.sleep(1)  # the labels have rested, and were left to it
    events.wait("live", view="mood")
    learning.post("/views/mood/labels", body([{"id": key, "label": None}], "ann"))
    events.wait("live", view="mood")
    events.close()


def test_labels_that_cannot_be_learnt_are_told_and_the_old_view_stays(learning):
    events = Events(learning)
    before = learning.get("/views/topic").json["transform"]
    random.seed(3)
    ids = list(TRUTH)
    rows = [{"id": key, "label": f"own {at}"} for at, key in enumerate(ids)]
    learning.post("/views/topic/labels", body(rows, "bob"))
    assert "share theirs with another" in events.wait("failed", view="topic")["why"]
    assert learning.get("/views/topic").json["transform"] == before
    learning.post("/views/topic/labels", body([r | {"label": None} for r in rows], "bob"))
    events.close()


def test_what_a_command_does_by_hand_is_told_as_well(learning):
    events = Events(learning)
    file = Paths(learning.root).labels / "loud.csv"
    rows = "".join(f"{key},{row['mood']}\n" for key, row in TRUTH.items())
    file.write_text(f"id,label\n{rows}")
    assert events.wait("labels", view="loud")["labelled"] == 72
    done = refract(learning.root, "run")
    assert done.code == 0, done.err
    assert events.wait("live", view="loud")["rows"] == 72
    last = events.last
    events.close()
    file.write_text(f"id,label\n{rows}".replace("glad", "happy"))
    again = Events(learning, last)
    assert again.wait("labels", view="loud")["classes"] == {"angry": 36, "happy": 36}
    again.close()
    lost = Events(learning, "00000000-5")
    lost.wait("missed")
    lost.close()


def test_a_request_that_comes_again_gets_the_same_answer_and_changes_nothing(taking):
    asked = body(by_topic(["t01", "t02"]), "ann")
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
            assert taking.post("/views/pace/labels", body(rows, who)).status == 200

    threads = [
        threading.Thread(target=work, args=each) for each in (("ann", "slow"), ("bob", "fast"))
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    stands = {row["id"] for row in taking.get("/views/pace/labels").json["rows"]}
    assert stands == {f"t{n:02}" for n in range(0, 10, 2)}
    for who in ("ann", "bob"):
        assert len(read_posted(Paths(taking.root).posted_labels("pace", who))) == 10


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
def test_a_name_that_no_instruction_may_have_writes_nothing(learning, path, status):
    before = sorted(Paths(learning.root).labels.rglob("*"))
    reply = learning.post(path, body(by_topic(["t01"])))
    assert reply.status == status, reply.body
    assert sorted(Paths(learning.root).labels.rglob("*")) == before


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
def test_a_request_of_which_anything_cannot_be_taken_writes_nothing(learning, change, status):
    before = sorted(Paths(learning.root).labels.rglob("*"))
    reply = learning.post("/views/pace/labels", body(by_topic(["t01"])) | change)
    assert reply.status == status, reply.body
    assert sorted(Paths(learning.root).labels.rglob("*")) == before
    assert b"Traceback" not in reply.body
    assert len(reply.body) < 2_000  # nothing that was sent is sent back


def test_labels_are_taken_from_nobody_without_the_token_nor_from_another_page(learning):
    asked = body(by_topic(["t01"]))
    assert learning.post("/views/pace/labels", asked, token=None).status == 401
    headers = {"Authorization": f"Bearer {learning.token}", "Content-Type": "text/plain"}
    content = json.dumps(asked).encode()
    for foreign in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        reply = learning.ask("POST", "/views/pace/labels", headers | foreign, content)
        assert reply.status == 403
    assert not (Paths(learning.root).labels / "pace").exists()


def test_nothing_is_written_beside_a_label_file_that_cannot_be_read(learning):
    folder = Paths(learning.root).labels / "beside"
    folder.mkdir()
    (folder / "x.csv").write_text("neither,nor\n1,2\n")
    try:
        reply = learning.post("/views/beside/labels", body(by_topic(["t01"])))
        assert reply.status == 400 and "x.csv" in reply.detail
        assert [file.name for file in folder.iterdir()] == ["x.csv"]
    finally:
        shutil.rmtree(folder)


def test_nothing_is_written_through_a_link(learning, tmp_path):
    labels = Paths(learning.root).labels
    (labels / "linked").symlink_to(tmp_path)
    try:
        reply = learning.post("/views/linked/labels", body(by_topic(["t01"])))
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
                reply = served.post("/views/pace/labels", body(rows, "ann"))
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


def test_labels_that_a_kill_has_left_without_a_fit_are_fitted_by_the_next_start(taking, tmp_path):
    taking.post("/views/pace/labels", body(by_topic(list(TRUTH)[::2])))
    taking.end()
    set_params(taking.root, serve={"settle": 0.3})
    again = Explored(taking.root, tmp_path / "again", **with_server())
    try:
        events = Events(again)
        assert again.get("/views/pace").json["rows"] or events.wait("live", view="pace")
        events.close()
    finally:
        again.end()


def test_a_view_that_was_labelled_here_is_searched_like_any_other(learning):
    assert "mood" in Workspace(learning.root).views
    assert learning.get("/views/mood/labels", annotator="ann").json["annotator"] == "ann"
    assert learning.get("/views/nothing/labels").status == 404


def test_a_lazy_view_that_is_live_has_the_rows_of_the_corpus(_made, tmp_path):
    with learning_from(_made, tmp_path, materialise={"mode": "lazy"}) as served:
        events = Events(served)
        served.post("/views/subject/labels", body(by_topic(TRUTH)))
        assert events.wait("live", view="subject")["rows"] == len(TRUTH)
        assert served.get("/views/subject").json["rows"] == len(TRUTH)
        events.close()


def test_a_stream_that_is_listened_to_does_not_keep_the_service_from_ending(taking):
    events = Events(taking)
    assert taking.stop(signal.SIGTERM) == 0
    assert not Paths(taking.root).explore_note.exists()
    events.close()
