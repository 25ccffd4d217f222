"""Exports of several questions: which of them an instruction is."""

import json

import pytest

from tasks.core.labels.cells import EMPTY
from tasks.core.labels.files import label_file
from tasks.core.labels.reader import read_labels
from tasks.core.workspace.errors import InputError
from tests.core.labels.exports.tool_rows import KEYS, TEXTS, lines


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
