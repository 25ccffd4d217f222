"""Exports as annotation tools write them: what is learnt from each, and what is refused and why."""

import csv
import io
import json

import polars as pl
import pytest

from tasks.core.documents.staging import text_hash
from tasks.core.labels.cells import CONTAINER, DIFFER, DISCARDED, EMPTY, ONE_HOT, SCORES, SPANS
from tasks.core.labels.files import label_file, label_files
from tasks.core.labels.precedence import CONFLICT
from tasks.core.labels.reader import read_labels
from tasks.core.workspace.errors import InputError
from tests.corpora import keys_of

TEXTS = [
    "a fee was charged twice",
    "the money is late",
    "card was declined",
    "how do i log in",
    "the app is slow",
]
FRAME = pl.DataFrame(
    {"id": [f"m{n}" for n in range(5)], "text_hash": [text_hash(text) for text in TEXTS]}
)

KEYS = keys_of(FRAME)


def lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def table(header, *rows):
    out = io.StringIO()
    csv.writer(out).writerows([header.split(","), *rows])
    return out.getvalue()


def cells(*labels):
    return table("id,label", *((f"m{n}", label) for n, label in enumerate(labels)))


def task(n, *results, cancelled=False, who=1):
    """A task of Label Studio with one annotation."""
    shown = {"id": n + 100, "data": {"text": TEXTS[n]}, "predictions": []}
    answer = {"completed_by": {"id": who, "email": f"{who}@x"}, "was_cancelled": cancelled}
    return shown | {"annotations": [answer | {"result": list(results)}]}


def choice(*names, question="topic"):
    value = {"choices": list(names)}
    return {"from_name": question, "to_name": "text", "type": "choices", "value": value}


def region(label):
    value = {"start": 0, "end": 3, "text": "a f", "labels": [label]}
    return {"from_name": "topic", "to_name": "text", "type": "labels", "value": value}


def box(n, *classifications, objects=(), who="a@x"):
    """A row of Labelbox's NDJSON."""
    given = {"annotations": {"classifications": list(classifications), "objects": list(objects)}}
    project = {"name": "p", "labels": [given | {"label_details": {"created_by": who}}]}
    return {"data_row": {"id": f"c{n}", "row_data": TEXTS[n]}, "projects": {"p1": project}}


def radio(name, question="topic"):
    return {"name": question, "radio_answer": {"name": name, "value": name}}


def checks(*names):
    return {"name": "topic", "checklist_answers": [{"name": n, "value": n} for n in names]}


def said(n, label, answer="accept", **more):
    """A line of Prodigy."""
    return {"text": TEXTS[n], "_input_hash": n, "label": label, "answer": answer, **more}


def picked(n, *accept, answer="accept"):
    options = [{"id": "fee", "text": "fee"}, {"id": "money", "text": "money"}]
    return {"text": TEXTS[n], "options": options, "accept": list(accept), "answer": answer}


def reply(value, status="submitted", user="u"):
    return {"value": value, "status": status, "user_id": user}


def votes(*rows):
    return table("id,text,sentiment,annotator,annotation_id,lead_time", *rows)


def vote(n, *labels):
    return [(str(n + 1), TEXTS[n], label, str(who), "9", "1") for who, label in enumerate(labels)]


def old_box(n, label, skipped="false"):
    answer = {"title": "topic", "answer": {"title": label}}
    return f"c{n}", TEXTS[n], json.dumps({"classifications": [answer]} if label else {}), skipped


SCORED = '[{"label": "fee", "score": 0.9}, {"label": "money", "score": 0.1}]'
SPANNED = {"text": TEXTS[0], "spans": [{"start": 0, "end": 3, "label": "X"}], "answer": "accept"}
FEE, BOTH = {"m0": "fee", "m1": "money"}, {"m0": '["fee", "money"]', "m1": "money"}

EXPORTS = {
    "prodigy: rejected and ignored answers": (
        "x.jsonl",
        lines(said(0, "fee"), said(1, "money"), said(2, "fee", "reject"), said(3, "fee", "ignore")),
        FEE,
        {DISCARDED: 2},
    ),
    "prodigy: choices": (
        "x.jsonl",
        lines(picked(0, "fee", "money"), picked(1, "money"), picked(2, answer="ignore")),
        BOTH,
        {DISCARDED: 1},
    ),
    "prodigy: nothing chosen, but accepted": (
        "x.jsonl",
        lines(picked(0, "fee"), picked(1, "money"), picked(2)),
        FEE,
        {EMPTY: 1},
    ),
    "prodigy: an empty list of spans beside a label": (
        "x.jsonl",
        lines(said(0, "fee", spans=[]), said(1, "money", spans=[], meta={"id": "7"})),
        FEE,
        {},
    ),
    "label studio: JSON": (
        "x.json",
        json.dumps([task(0, choice("fee")), task(1, choice("money"))]),
        FEE,
        {},
    ),
    "label studio: JSON, several choices and a cancelled one": (
        "x.json",
        json.dumps(
            [
                task(0, choice("fee", "money")),
                task(1, choice("money")),
                task(2, choice("fee"), cancelled=True),
            ]
        ),
        BOTH,
        {DISCARDED: 1},
    ),
    "label studio: spans": (
        "x.json",
        json.dumps([task(0, choice("fee")), task(1, choice("money")), task(2, region("fee"))]),
        FEE,
        {SPANS: 1},
    ),
    "label studio: two questions, one of which is the instruction": (
        "x.json",
        json.dumps(
            [
                task(0, choice("fee"), choice("bad", question="tone")),
                task(1, choice("money"), choice("good", question="tone")),
            ]
        ),
        FEE,
        {},
    ),
    "label studio: two other questions": (
        "x.json",
        json.dumps(
            [
                task(0, choice("fee")),
                task(1, choice("money")),
                task(2, choice("bad", question="tone"), choice("x", question="kind")),
            ]
        ),
        FEE,
        {EMPTY: 1},
    ),
    "label studio: not annotated yet": (
        "x.json",
        json.dumps(
            [
                task(0, choice("fee")),
                task(1, choice("money")),
                {"id": 9, "data": {"text": TEXTS[2]}, "annotations": []},
                task(3),
            ]
        ),
        FEE,
        {EMPTY: 2},
    ),
    "label studio: JSON-MIN": (
        "x.json",
        json.dumps(
            [
                {"id": 1, "text": TEXTS[0], "topic": {"choices": ["fee", "money"]}, "annotator": 1},
                {"id": 2, "text": TEXTS[1], "topic": "money", "annotator": 1},
            ]
        ),
        BOTH,
        {},
    ),
    "label studio: CSV with containers": (
        "x.csv",
        votes(
            ("1", TEXTS[0], '{"choices": ["fee", "money"]}', "1", "11", "2.5"),
            ("2", TEXTS[1], "money", "1", "12", "2.5"),
        ),
        BOTH,
        {},
    ),
    "label studio: CSV, three annotators": (
        "x.csv",
        votes(
            *vote(0, "fee", "fee", "money"),
            *vote(1, "money", "money"),
            *vote(2, "money", "fee"),
        ),
        FEE,
        {"outvoted by other annotators": 1, "repeated row": 2, CONFLICT: 2},
    ),
    "doccano: lists": (
        "x.jsonl",
        lines(
            {"id": 1, "text": TEXTS[0], "label": ["fee", "money"], "Comments": []},
            {"id": 2, "text": TEXTS[1], "label": ["money"], "Comments": []},
            {"id": 3, "text": TEXTS[2], "label": [], "Comments": []},
        ),
        BOTH,
        {EMPTY: 1},
    ),
    "doccano: spans": (
        "x.jsonl",
        lines(
            {"id": 1, "text": TEXTS[0], "label": ["fee"]},
            {"id": 2, "text": TEXTS[1], "label": ["money"]},
            {"id": 3, "text": TEXTS[2], "label": [[0, 4, "fee"], [5, 8, "money"]]},
        ),
        FEE,
        {SPANS: 1},
    ),
    "doccano: annotations of an old version": (
        "x.jsonl",
        lines(
            {"id": 1, "text": TEXTS[0], "annotations": [{"label": 7, "user": 1}], "meta": {}},
            {"id": 2, "text": TEXTS[1], "annotations": [{"label": 8, "user": 1}], "meta": {}},
        ),
        {"m0": "7", "m1": "8"},
        {},
    ),
    "doccano: CSV": (
        "x.csv",
        table("id,data,label", ("1", TEXTS[0], "fee"), ("2", TEXTS[1], "money")),
        FEE,
        {},
    ),
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


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_is_read_as_its_tool_means_it(tmp_path, name):
    file, content, labels, reasons = EXPORTS[name]
    path = tmp_path / file
    path.write_text(content)
    found = read_labels(label_file(path, "topic"), KEYS, 1)
    assert found.label_of == labels
    assert found.reasons == reasons
    assert sum(reasons.values()) == len(found.rejects)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        (
            "x.jsonl",
            lines(SPANNED),
            r"'spans' are labels of parts of a text",
        ),
        (
            "x.jsonl",
            lines(*({"id": f"m{n}", "label": [[0, 3, "X"]]} for n in range(5))),
            r"0 usable of 5 rows \(5 labels of parts of a text.*export labels of whole texts",
        ),
        (
            "x.jsonl",
            lines(*({"id": f"m{n}", "label": [n % 2, 1 - n % 2]} for n in range(5))),
            r"5 one-hot list without the names of its labels\).*write the labels by their names",
        ),
        (
            "x.jsonl",
            lines(*(said(n, "fee", "reject") for n in range(5))),
            r"5 answer rejected, ignored or skipped.*accept answers in the annotation tool",
        ),
        ("x.json", '{"a": {"b": 1}}', r"found JSON that is no list of objects"),
        ("x.json", "{", r"found no usable JSON"),
    ],
)
def test_an_export_that_labels_no_text_is_refused_in_one_clear_line(
    tmp_path, file, content, message
):
    path = tmp_path / file
    path.write_text(content)
    with pytest.raises(InputError, match=message):
        read_labels(label_file(path, "topic"), KEYS, 1)


def test_lists_of_numbers_are_labels_where_they_cannot_be_one_hot(tmp_path):
    path = tmp_path / "x.jsonl"
    rows = [[0, 1], [1], [0], [1, 0, 2]]
    path.write_text(lines(*({"id": f"m{n}", "labels": row} for n, row in enumerate(rows))))
    found = read_labels(label_file(path, "topic"), KEYS, 1)
    assert found.label_of == {"m0": '["0", "1"]', "m1": "1", "m2": "0", "m3": '["0", "1", "2"]'}


def test_a_class_none_is_told_from_nothing_by_how_the_others_are_written(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(cells("Racism", "Sexism", "None", "None"))
    found = read_labels(label_file(path, "topic"), KEYS, 1)
    assert found.counts["None"] == 2
    assert found.notes["label that may mean none: None"] == 2


def test_a_status_that_is_no_verdict_of_a_tool_is_metadata(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(table("id,label,status", ("m0", "fee", "open"), ("m1", "money", "rejected")))
    assert read_labels(label_file(path, "topic"), KEYS, 1).label_of == FEE


def test_composed_and_decomposed_characters_are_one_class(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(cells("caf\u00e9", "cafe\u0301", "tea\u00a0", "tea"))
    assert read_labels(label_file(path, "topic"), KEYS, 1).counts == {"caf\u00e9": 2, "tea": 2}


@pytest.mark.parametrize("nothing", [r"\N", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!"])
def test_what_databases_and_spreadsheets_write_for_nothing_is_no_label(tmp_path, nothing):
    path = tmp_path / "topic.csv"
    path.write_text(cells("fee", "late", nothing, nothing, "fee"))
    found = read_labels(label_file(path, "topic"), KEYS, 1)
    assert found.counts == {"fee": 2, "late": 1}
    assert found.reasons == {EMPTY: 2}


def test_one_hot_columns_beside_the_row_numbers_of_pandas(tmp_path):
    path = tmp_path / "topic.csv"
    path.write_text(",id,fee,late\n0,m0,1,0\n1,m1,0,1\n")
    assert read_labels(label_file(path, "topic"), KEYS, 1).labels == ["fee", "late"]


def test_objects_a_line_in_a_json_file(tmp_path):
    path = tmp_path / "topic.json"
    path.write_text(lines({"id": "m0", "label": "fee"}, {"id": "m1", "label": "late"}))
    assert read_labels(label_file(path, "topic"), KEYS, 1).labels == ["fee", "late"]


def asked(question, value):
    return {"from_name": question, "type": "choices", "value": {"choices": [value]}}


def test_the_answer_to_another_question_is_no_label_where_the_own_one_is_asked_elsewhere(tmp_path):
    path = tmp_path / "topic.json"
    tasks = [
        {"id": n, "data": {"text": TEXTS[n]}, "annotations": [{"id": n, "result": results}]}
        for n, results in enumerate(
            (
                [asked("sentiment", "good")],
                [asked("topic", "fee"), asked("sentiment", "bad")],
                [asked("topic", "late")],
                [asked("topic", "fee")],
            )
        )
    ]
    path.write_text(json.dumps(tasks), "utf-8")
    found = read_labels(label_file(path, "topic"), KEYS, 1, 1)
    assert found.counts == {"fee": 2, "late": 1}
    assert found.reasons == {EMPTY: 1}


def test_which_question_it_is_the_whole_export_decides_and_not_a_part_of_it(tmp_path, monkeypatch):
    path = tmp_path / "topic.jsonl"
    said = ["good", "bad", "fee", "late"]
    names = ["tone", "tone", "topic", "topic"]
    tasks = [
        {"id": n, "data": {"text": TEXTS[n]}, "annotations": [{"id": n, "result": [asked(*each)]}]}
        for n, each in enumerate(zip(names, said, strict=True))
    ]
    path.write_text(lines(*tasks), "utf-8")
    monkeypatch.setattr("tasks.core.labels.rows.ROWS", 2)
    found = read_labels(label_file(path, "topic"), KEYS, 1, 1)
    assert found.counts == {"fee": 1, "late": 1}
    assert found.reasons == {EMPTY: 2}


def test_questions_of_which_none_is_the_instruction_are_named_with_the_way_on(tmp_path):
    path = tmp_path / "topic.json"
    results = [asked("tone", "bad"), asked("kind", "x")]
    tasks = [
        {"id": n, "data": {"text": text}, "annotations": [{"id": n, "result": results}]}
        for n, text in enumerate(TEXTS)
    ]
    path.write_text(json.dumps(tasks), "utf-8")
    with pytest.raises(InputError, match=r"'kind', 'tone'.*name the label file like one of the"):
        read_labels(label_file(path, "topic"), KEYS, 1, 1)


def test_a_free_text_beside_the_only_choice_is_no_second_question(tmp_path):
    path = tmp_path / "topic.json"
    note = {"from_name": "note", "type": "textarea", "value": {"text": ["see above"]}}
    tasks = [
        {"id": n, "data": {"text": TEXTS[n]}, "annotations": [{"id": n, "result": results}]}
        for n, results in enumerate(([asked("kind", "fee"), note], [asked("kind", "late")], [note]))
    ]
    path.write_text(json.dumps(tasks), "utf-8")
    found = read_labels(label_file(path, "topic"), KEYS, 1, 1)
    assert (found.counts, found.reasons) == ({"fee": 1, "late": 1}, {EMPTY: 1})


def test_a_key_that_stands_twice_is_refused_and_not_lost(tmp_path):
    path = tmp_path / "topic.json"
    path.write_text('{"m1": "fee", "m2": "late", "m1": "other"}', "utf-8")
    with pytest.raises(InputError, match="a key stands twice in one object"):
        read_labels(label_file(path, "topic"), KEYS, 1, 1)


def test_a_folder_within_that_of_an_instruction_is_not_passed_over(tmp_path):
    inside = tmp_path / "topic" / "2024"
    inside.mkdir(parents=True)
    (inside / "a.csv").write_text("id,label\nm1,fee\n", "utf-8")
    assert "move its files up" in str(label_files(tmp_path).errors["topic"])
