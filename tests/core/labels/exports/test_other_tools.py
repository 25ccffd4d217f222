"""Exports of Argilla, Labelbox, Mechanical Turk and others: what is learnt from each."""

import json

import pytest

from tasks.core.labels.cells import CONTAINER, DIFFER, DISCARDED, EMPTY, ONE_HOT, SCORES, SPANS
from tests.core.labels.exports.tool_rows import (
    BOTH,
    FEE,
    SCORED,
    TEXTS,
    box,
    cells,
    checks,
    found_in,
    lines,
    old_box,
    radio,
    reply,
    table,
)

OTHER_EXPORTS = {
    "argilla: responses of several": (
        "x.json",
        json.dumps(
            [
                {
                    "id": f"r{n}",
                    "fields": {"text": TEXTS[n]},
                    "responses": {"topic": [reply(v, s, u) for v, s, u in given]},
                    "suggestions": {"topic": {"value": "x", "score": 0.4}},
                }
                for n, given in enumerate(
                    (
                        [("fee", "submitted", "a"), ("money", "discarded", "b")],
                        [("money", "submitted", "a"), ("money", "submitted", "b")],
                        [("fee", "draft", "a")],
                    )
                )
            ]
        ),
        FEE,
        {DISCARDED: 2, "repeated row": 1},
    ),
    "argilla: responses that are none": (
        "x.json",
        json.dumps(
            [
                {"fields": {"text": TEXTS[n]}, "responses": given}
                for n, given in enumerate(
                    (
                        {"topic": [reply("fee")]},
                        [None, {"values": {"topic": {"value": "money"}}, "status": "submitted"}],
                        {"topic": None},
                        [None, 5],
                        {"topic": [None, "fee"]},
                    )
                )
            ]
        ),
        FEE,
        {EMPTY: 3},
    ),
    "labelbox: parts that are none": (
        "x.jsonl",
        lines(
            box(0, radio("fee")),
            box(1, radio("money"), None),
            {**box(2), "projects": {"p1": {"labels": [None, {"annotations": "none"}]}, "p2": 5}},
        ),
        FEE,
        {EMPTY: 1},
    ),
    "argilla: columns of a question": (
        "x.jsonl",
        lines(
            *(
                {
                    "id": f"r{n}",
                    "status": "completed",
                    "text": TEXTS[n],
                    "topic.responses": values,
                    "topic.responses.users": ["a", "b"][: len(values)],
                    "topic.responses.status": states,
                    "topic.suggestion": "x",
                }
                for n, (values, states) in enumerate(
                    (
                        (["fee", "money"], ["submitted", "discarded"]),
                        (["money"], ["submitted"]),
                    )
                )
            )
        ),
        FEE,
        {DISCARDED: 1},
    ),
    "argilla: of a dataset for text classification": (
        "x.jsonl",
        lines(
            *(
                {"id": f"r{n}", "text": TEXTS[n], "annotation": label, "status": status}
                for n, (label, status) in enumerate(
                    (
                        ("fee", "Validated"),
                        ("money", "Validated"),
                        ("fee", "Discarded"),
                        (None, "Default"),
                    )
                )
            )
        ),
        FEE,
        {DISCARDED: 1, EMPTY: 1},
    ),
    "argilla: feedback in a cell": (
        "x.jsonl",
        lines(
            {"id": "m0", "label": [reply("fee"), reply("fee", user="v")]},
            {"id": "m1", "label": [reply("money"), reply("fee", "discarded")]},
            {"id": "m2", "label": [reply("money"), reply("fee", user="v")]},
        ),
        FEE,
        {DIFFER: 1},
    ),
    "labelbox": ("x.jsonl", lines(box(0, radio("fee")), box(1, radio("money"))), FEE, {}),
    "labelbox: checklists, and objects alone": (
        "x.ndjson",
        lines(
            box(0, checks("fee", "money")),
            box(1, checks("money")),
            box(2, objects=[{"name": "fee", "location": {"start": 0, "end": 3}}]),
        ),
        BOTH,
        {SPANS: 1},
    ),
    "labelbox: its old table": (
        "x.csv",
        table(
            "ID,Labeled Data,Label,Skipped",
            *(old_box(0, "fee"), old_box(1, "money"), old_box(2, None, "true")),
        ),
        FEE,
        {DISCARDED: 1},
    ),
    "mechanical turk": (
        "x.csv",
        table(
            "HITId,WorkerId,AssignmentStatus,Input.text,Answer.topic.label",
            ("h1", "w1", "Approved", TEXTS[0], "fee"),
            ("h2", "w1", "Approved", TEXTS[1], "money"),
            ("h3", "w2", "Rejected", TEXTS[2], "fee"),
        ),
        FEE,
        {DISCARDED: 1},
    ),
    "spaCy's cats": (
        "x.jsonl",
        lines(
            {"text": TEXTS[0], "cats": {"fee": 1.0, "money": 0.0}},
            {"text": TEXTS[1], "cats": {"fee": 0, "money": 1}},
            {"text": TEXTS[2], "cats": {"fee": 0.3, "money": 0.7}},
        ),
        FEE,
        {SCORES: 1},
    ),
    "one-hot columns": (
        "x.csv",
        table("id,fee,money", ("m0", "1", "1"), ("m1", "0", "1"), ("m2", "0", "0")),
        BOTH,
        {EMPTY: 1},
    ),
    "one-hot lists": (
        "x.jsonl",
        lines(
            {"id": "m0", "label": "fee"},
            {"id": "m1", "label": "money"},
            {"id": "m2", "label": [0, 0, 1, 0]},
            {"id": "m3", "label": [False, True]},
        ),
        FEE,
        {ONE_HOT: 2},
    ),
    "numbers with names beside them": (
        "x.csv",
        table("id,label,label_text", ("m0", "0", "fee"), ("m1", "1", "money"), ("m2", "0", "fee")),
        FEE | {"m2": "fee"},
        {},
    ),
    "lists as pandas, numpy and PostgreSQL write them": (
        "x.csv",
        cells("['fee', 'money']", "['money']", "['fee' 'money']", "{fee,money}", '"money"'),
        BOTH | {"m2": BOTH["m0"], "m3": BOTH["m0"], "m4": "money"},
        {},
    ),
    "nothing as pandas writes it": (
        "x.csv",
        cells("fee", "money", "nan", "<NA>", "None"),
        FEE,
        {EMPTY: 3},
    ),
    "containers that say nothing of a text": (
        "x.csv",
        cells("fee", "money", '{"colour": "red"}', '[["fee"]]', '["fee", "mon'),
        FEE,
        {CONTAINER: 3},
    ),
    "scores of a model": (
        "x.csv",
        cells("fee", "money", SCORED, "[0.2, 0.8]"),
        FEE,
        {SCORES: 2},
    ),
    "a dictionary of labels by id": ("x.json", json.dumps({"m0": "fee", "m1": "money"}), FEE, {}),
}


@pytest.mark.parametrize("name", OTHER_EXPORTS)
def test_an_export_of_another_tool_is_read_as_it_means_it(tmp_path, name):
    file, content, labels, reasons = OTHER_EXPORTS[name]
    found = found_in(tmp_path / file, content)
    assert (found.label_of, found.reasons) == (labels, reasons)
    assert len(found.rejects) == sum(reasons.values())
