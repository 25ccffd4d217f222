"""Exports as annotation tools write them: what is learnt from each, and what is refused and why."""

import json

import pytest

from tasks.core.labels.cells import DISCARDED, EMPTY, SPANS
from tasks.core.labels.files import label_file, label_files
from tasks.core.labels.precedence import CONFLICT
from tasks.core.labels.reader import read_labels
from tasks.core.workspace.errors import InputError
from tests.core.labels.exports.tool_rows import (
    BOTH,
    FEE,
    KEYS,
    SPANNED,
    TEXTS,
    cells,
    choice,
    found_in,
    lines,
    picked,
    region,
    said,
    table,
    task,
    vote,
    votes,
)

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
}


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_is_read_as_its_tool_means_it(tmp_path, name):
    file, content, labels, reasons = EXPORTS[name]
    found = found_in(tmp_path / file, content)
    assert (found.label_of, found.reasons) == (labels, reasons)
    assert len(found.rejects) == sum(reasons.values())


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
