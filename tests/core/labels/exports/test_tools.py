"""How each export is recognised, and the line that says what was read as what."""

import json

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.core.documents.staging import text_hash
from tasks.core.labels.cells import BESIDE, EMPTY, OTHER_KIND
from tasks.core.labels.exports.tools import tool_of
from tasks.core.labels.files import label_file
from tasks.core.labels.reader import read_labels
from tasks.core.workspace.errors import InputError
from tests.core.labels.exports.annotated import FEE, KEYS, TEXTS, record, task
from tests.corpora import keys_of


def read(path):
    return read_labels(label_file(path, "topic"), KEYS, 1)


def lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def minimal(n, label):
    return {
        **{"text": TEXTS[n], "id": n + 7, "topic": label, "annotator": 1, "annotation_id": n},
        **{"created_at": "2026-11-26T10:00:00Z", "updated_at": "2026-11-26", "lead_time": 1.5},
    }


def chosen(n, accept, answer="accept"):
    options = [{"id": 1, "text": "fee"}, {"id": 2, "text": "money"}]
    hashes = {"_input_hash": n, "_task_hash": n, "_view_id": "choice", "_session_id": None}
    return {"text": TEXTS[n], "options": options, "accept": accept, "answer": answer, **hashes}


NESTED = [task(0, "fee"), task(1, "money"), task(2, None, cancelled=True), task(3, None)]
MINIMAL = [minimal(0, "fee"), minimal(1, "money")]
RECORDS = [
    record(0, ("fee", "submitted")),
    record(1, ("money", "submitted")),
    record(2, ("fee", "discarded")),
    record(3),
]
BOXES = [
    {
        "data_row": {"id": f"c{n}", "row_data": TEXTS[n]},
        "projects": {
            "p": {
                "labels": [
                    {
                        "annotations": {
                            "classifications": [{"name": "topic", "radio_answer": {"name": label}}]
                        }
                    }
                ]
            }
        },
    }
    for n, label in enumerate(("fee", "money"))
]

EXPORTS = {
    "label studio, JSON": (
        "x.json",
        json.dumps(NESTED),
        "a Label Studio export: 2 annotations, 1 skipped by the annotator, 1 without an answer",
    ),
    "label studio, JSON-MIN": (
        "x.json",
        json.dumps(MINIMAL),
        "a Label Studio export: 2 annotations",
    ),
    "label studio, CSV": (
        "x.csv",
        pl.DataFrame(MINIMAL).write_csv(),
        "a Label Studio export: 2 annotations",
    ),
    "labelbox": ("x.ndjson", lines(*BOXES), "a Labelbox export: 2 annotations"),
    "argilla, records": (
        "x.json",
        json.dumps(RECORDS),
        "an Argilla export: 2 responses, 1 discarded or in draft, 1 without an answer",
    ),
    "prodigy, options by number": (
        "x.jsonl",
        lines(chosen(0, [1]), chosen(1, [2]), chosen(2, [1], "reject"), chosen(3, [], "ignore")),
        "a Prodigy export: 2 answers, 2 rejected or ignored",
    ),
    "doccano": (
        "x.jsonl",
        lines(
            {"id": 7, "text": TEXTS[0], "label": ["fee"], "Comments": []},
            {"id": 8, "text": TEXTS[1], "label": ["money"], "Comments": []},
            {"id": 9, "text": TEXTS[2], "label": [], "Comments": []},
        ),
        "a doccano export: 2 texts, 1 without an answer",
    ),
    "doccano, labels of an old version": (
        "x.jsonl",
        lines(
            *(
                {
                    **{"id": n, "text": TEXTS[n], "meta": {}, "annotation_approver": "a"},
                    "labels": [label],
                }
                for n, label in enumerate(("fee", "money"))
            )
        ),
        "a doccano export: 2 texts",
    ),
    "setfit": (
        "x.csv",
        f"text,label,label_text\n{TEXTS[0]},0,fee\n{TEXTS[1]},1,money\n",
        "a SetFit frame: 2 rows",
    ),
    "cleanlab": (
        "x.csv",
        "text,is_label_issue,label_score,given_label,predicted_label\n"
        f"{TEXTS[0]},False,0.9,fee,fee\n{TEXTS[1]},True,0.1,money,fee\n",
        "a cleanlab frame: 2 rows, 1 of them marked as label issues",
    ),
}


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_is_known_by_its_shape_and_said_in_a_line(tmp_path, name):
    file, content, line = EXPORTS[name]
    path = tmp_path / file
    path.write_text(content)
    found = read(path)
    assert found.label_of == FEE
    assert found.read_as == (f"read as {line}",)


def test_annotations_of_doccano_with_numbers_for_labels_are_known_too(tmp_path):
    path = tmp_path / "x.jsonl"
    rows = [
        {"id": n, "text": TEXTS[n], "annotations": [{"label": n, "user": 1}], "meta": {}}
        for n in range(2)
    ]
    path.write_text(lines(*rows))
    assert read(path).read_as == ("read as a doccano export: 2 texts",)


@pytest.mark.parametrize(
    "header", ["id,label", "text,label", "id,text,label", "text,answer", "data,annotations,id"]
)
def test_a_table_of_ones_own_is_no_export(header):
    assert tool_of({name: ["x"] for name in header.split(",")}) is None


def test_of_several_files_each_line_names_its_own(tmp_path):
    folder = tmp_path / "topic"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps(MINIMAL))
    (folder / "b.csv").write_text(f"text,label\n{TEXTS[2]},fee\n")
    found = read(folder)
    assert found.read_as == ("a.json: read as a Label Studio export: 2 annotations",)


def frame(path, features, **columns):
    table = pa.table(columns)
    about = json.dumps({"info": {"features": features}})
    pq.write_table(table.replace_schema_metadata({"huggingface": about}), path)
    return path


def test_integers_of_a_class_label_have_the_names_that_parquet_keeps(tmp_path):
    features = {"label": {"names": ["fee", "money"], "_type": "ClassLabel"}}
    path = frame(tmp_path / "x.parquet", features, text=TEXTS, label=[0, 1, -1, 0])
    found = read(path)
    assert found.label_of == FEE | {"m3": "fee"}
    assert found.reasons == {"empty label": 1}
    line = "read as a Hugging Face frame: 3 rows, 1 without an answer"
    assert found.read_as == (line,)


def test_lists_of_class_labels_have_names_as_well(tmp_path):
    inner = {"names": ["fee", "money"], "_type": "ClassLabel"}
    features = {"label": {"feature": inner, "_type": "Sequence"}}
    path = frame(tmp_path / "x.parquet", features, text=TEXTS[:3], label=[[0, 1], [1], []])
    assert read(path).label_of == {"m0": '["fee", "money"]', "m1": "money"}


@pytest.mark.parametrize("about", [{}, {"label": {"names": "fee"}}, {"label": 3}, [1]])
def test_a_note_in_parquet_that_says_nothing_leaves_the_numbers(tmp_path, about):
    path = frame(tmp_path / "x.parquet", about, text=TEXTS[:2], label=[0, 1])
    assert read(path).label_of == {"m0": "0", "m1": "1"}


def test_argillas_parquet_has_a_row_of_votes(tmp_path):
    path = tmp_path / "x.parquet"
    columns = {
        "id": ["r0", "r1"],
        "status": ["completed", "completed"],
        "_server_id": ["s", "s"],
        "text": TEXTS[:2],
        "topic.responses": [["fee", "fee", "money"], ["money"]],
        "topic.responses.users": [["a", "b", "c"], ["a"]],
        "topic.responses.status": [["submitted"] * 3, ["submitted"]],
        "topic.suggestion": ["fee", None],
    }
    pq.write_table(pa.table(columns), path)
    found = read(path)
    assert found.label_of == FEE
    assert found.read_as == ("read as an Argilla export: 4 responses",)
    assert found.reasons == {"outvoted by other annotators": 1, "repeated row": 1}


def test_a_cleanlab_frame_without_texts_says_what_it_lacks(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("is_label_issue,given_label,predicted_label\nTrue,fee,money\n")
    with pytest.raises(InputError, match=r"expected 'id' \(or 'text'\) and 'label'"):
        read(path)


def test_a_text_that_looks_like_json_stays_as_it_is_in_an_export(tmp_path):
    odd = '{"b":  1}'
    keys = keys_of(pl.DataFrame({"id": ["m0"], "text_hash": [text_hash(odd)]}))
    path = tmp_path / "x.parquet"
    columns = {"text": [odd], "topic.responses": [["fee"]], "topic.responses.status": [["x"]]}
    pq.write_table(pa.table(columns), path)
    found = read_labels(label_file(path, "topic"), keys, 1, 1)
    assert found.label_of == {"m0": "fee"}


@pytest.mark.parametrize(
    "other",
    [minimal(2, "fee") | {"label": "fee"}, chosen(2, [1]), {"text": TEXTS[2], "label": "x"}],
)
def test_rows_of_another_export_are_called_so_and_not_empty(tmp_path, other):
    path = tmp_path / "topic.json"
    path.write_text(json.dumps([task(0, "fee"), task(1, "money"), other, task(3, None)]))
    assert read(path).reasons == {EMPTY: 1, OTHER_KIND: 1}


def test_a_label_in_another_column_than_that_of_the_file_is_called_so(tmp_path):
    path = tmp_path / "topic.jsonl"
    rows = [{"text": text, "label": label} for text, label in zip(TEXTS, "abc", strict=False)]
    path.write_text(lines(*rows[:2], {"text": TEXTS[2], "choice": "a"}, {"text": TEXTS[3]}))
    assert read(path).reasons == {EMPTY: 1, BESIDE: 1}
