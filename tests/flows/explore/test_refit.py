"""Answers while a view is fitted anew: each by the old version or by the new one, whole."""

import threading

from flows.run import run
from tests.exploring import Explored
from tests.world import documents, write_labels

QUESTIONS = [
    ("search", {"q": "where is my parcel", "k": 72}),
    ("search", {"q": "thank you", "view": "topic", "k": 30}),
    ("similar/t07", {"k": 30, "distinct": True}),
    ("texts", {"id": [f"t{n:02}" for n in range(72)]}),
    ("rows", {"sort": "-confidence", "limit": 72}),
    ("facets", {}),
    ("matching", {"label": "glad"}),
]


def asked(served):
    return [served.get(f"/views/mood/{what}", **more) for what, more in QUESTIONS]


def test_a_refit_meanwhile_costs_no_error_and_no_mixture(made, tmp_path):
    served = Explored(made, tmp_path / "log")
    stop, got, threads = threading.Event(), [[] for _ in QUESTIONS], []

    def ask(at):
        what, more = QUESTIONS[at]
        while not stop.is_set():
            got[at].append(served.get(f"/views/mood/{what}", **more))

    try:
        before = asked(served)
        threads += [threading.Thread(target=ask, args=(at,)) for at in range(len(QUESTIONS))]
        for each in threads:
            each.start()
        write_labels(made, "mood", [row for n, row in enumerate(documents()) if n % 4 != 2])
        run(made)
        after = asked(served)
    finally:
        stop.set()
        for each in threads:
            each.join()
        served.end()
    assert {reply.status for replies in got for reply in replies} == {200}
    for old, new, replies in zip(before, after, got, strict=True):
        assert {reply.body for reply in replies} <= {old.body, new.body}
    assert before[0].json["transform"] != after[0].json["transform"]
    assert all(
        before[at].body != after[at].body for at in (0, 1, 2, 3, 4)
    )  # labels may be as before
