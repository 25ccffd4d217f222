"""Labels that are posted while one looks: told, learnt from, and searched by."""

import json
import random
import time

import pytest

from flows import Workspace
from flows.runtime.lock import serving
from tasks.core.workspace.paths import Paths
from tests.commands import refract
from tests.exploring import Events, by_topic, learning_from, posting
from tests.world import documents

pytestmark = [pytest.mark.server, pytest.mark.timeout(600)]
TRUTH = {row["id"]: row for row in documents()}


@pytest.fixture(scope="module")
def learning(_pooled, tmp_path_factory):
    with learning_from(_pooled, tmp_path_factory.mktemp("learning")) as served:
        yield served


def test_from_the_first_label_of_a_new_instruction_to_its_first_live_view(learning):
    events = Events(learning)
    suggested = learning.get("/views/subject/suggest", n=30).json["texts"]
    assert {text["why"] for text in suggested} == {"covers the corpus"}
    first, later = suggested[:4], suggested[4:]
    reply = learning.post("/views/subject/labels", posting(by_topic(text["id"] for text in first)))
    assert reply.status == 200, reply.body
    assert reply.json["labels_needed"] == {"found": 4, "expected": 10, "why": ""} | {
        "classes": len({TRUTH[text["id"]]["topic"] for text in first})
    }
    assert events.wait("labels", view="subject")["labelled"] == 4
    left = {text["id"] for text in learning.get("/views/subject/suggest", n=72).json["texts"]}
    assert not left & {text["id"] for text in first}
    rows = [{"text": text["text"], "label": TRUTH[text["id"]]["topic"]} for text in later]
    assert (
        learning.post("/views/subject/labels", posting(rows, "ann")).json["labels_needed"] is None
    )
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
    reply = learning.post("/views/kind/labels", posting(by_topic(keys[:4]))).json
    assert reply["labels_needed"]["found"] == 4
    assert learning.get("/views/kind").json["labels_needed"]["found"] == 4
    assert learning.post("/views/kind/labels", posting(by_topic(keys[4:])))
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
    reply = learning.post("/views/mood/labels", posting(wrong, "ann")).json
    assert reply["file"] == "data/labels/mood/explore-ann.jsonl"
    assert (reply["accepted"], reply["unchanged"], reply["replaced"]) == (3, 0, [])
    live = events.wait("live", view="mood")
    assert live["transform"] != before
    rows = {row["id"]: row for row in learning.get("/views/mood/labels").json["rows"]}
    assert all(rows[each["id"]]["label"] == "glad" for each in wrong)
    assert {rows[each["id"]]["annotator"] for each in wrong} == {"ann"}
    assert rows.keys() == labels.keys()
    undone = learning.post(
        "/views/mood/labels", posting([each | {"label": None} for each in wrong], "ann")
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
    learning.post("/views/mood/labels", posting(again, "ann"))
    events.wait("fit", view="mood")
    events.wait("fitted", view="mood")
    assert learning.get("/views/mood").json["transform"] == before
    assert not learning.get("/views/mood").json["fitting"]
    learning.post("/views/mood/labels", posting([row | {"label": None} for row in again], "ann"))
    events.wait("fitted", view="mood")
    events.close()


def test_what_serve_has_left_when_it_ended_is_fitted(learning):
    events = Events(learning)
    key = learning.get("/views/mood/labels").json["rows"][0]["id"]
    other = {"glad": "angry", "angry": "glad"}[TRUTH[key]["mood"]]
    with serving(Paths(learning.root), "it is free"):
        learning.post("/views/mood/labels", posting([{"id": key, "label": other}], "ann"))
        events.wait("labels", view="mood")
        time.sleep(1)  # the labels have rested, and were left to it
    events.wait("live", view="mood")
    learning.post("/views/mood/labels", posting([{"id": key, "label": None}], "ann"))
    events.wait("live", view="mood")
    events.close()


def test_labels_that_cannot_be_learnt_are_told_and_the_old_view_stays(learning):
    events = Events(learning)
    before = learning.get("/views/topic").json["transform"]
    random.seed(3)
    ids = list(TRUTH)
    rows = [{"id": key, "label": f"own {at}"} for at, key in enumerate(ids)]
    learning.post("/views/topic/labels", posting(rows, "bob"))
    assert "share theirs with another" in events.wait("failed", view="topic")["why"]
    assert learning.get("/views/topic").json["transform"] == before
    learning.post("/views/topic/labels", posting([r | {"label": None} for r in rows], "bob"))
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


def test_a_view_that_was_labelled_here_is_searched_like_any_other(learning):
    assert "mood" in Workspace(learning.root).views
    assert learning.get("/views/mood/labels", annotator="ann").json["annotator"] == "ann"
    assert learning.get("/views/nothing/labels").status == 404


def test_a_lazy_view_that_is_live_has_the_rows_of_the_corpus(_made, tmp_path):
    with learning_from(_made, tmp_path, materialise={"mode": "lazy"}) as served:
        events = Events(served)
        served.post("/views/subject/labels", posting(by_topic(TRUTH)))
        assert events.wait("live", view="subject")["rows"] == len(TRUTH)
        assert served.get("/views/subject").json["rows"] == len(TRUTH)
        events.close()
