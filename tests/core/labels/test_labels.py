import gzip
import json
import os
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.core.documents.staging import text_hash
from tasks.core.labels import reader as labels_module
from tasks.core.labels.files import Part, label_file, label_files
from tasks.core.labels.multilabel import joined
from tasks.core.labels.notes import CASES, with_names
from tasks.core.labels.reader import read_labels
from tasks.core.labels.votes import JOINED
from tasks.core.workspace.errors import InputError
from tests.corpora import keys_of

TEXTS = {
    "1": "my parcel is late",
    "2": "thank you so much",
    "3": "it broke on day one",
    "4": "where is my refund",
    "5": "thank you so much",
}
KEYS = keys_of(
    pl.DataFrame({"id": list(TEXTS), "text_hash": [text_hash(text) for text in TEXTS.values()]})
)


def put(folder: Path, name: str, content: str | bytes) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(path: Path, minimum: int = 1, **options: int) -> labels_module.LabelSet:
    return read_labels(label_file(path, "mood"), KEYS, minimum, **options)


def test_labels_belong_to_the_ids_of_the_corpus(tmp_path):
    found = read(put(tmp_path, "mood.csv", "id,label\n3, angry \n 2 ,happy\n1,angry\n"))
    assert found.ids == ["3", "2", "1"]
    assert found.labels == ["angry", "happy", "angry"]
    assert found.text_hashes == [text_hash(TEXTS[each]) for each in found.ids]
    assert found.counts == {"angry": 2, "happy": 1}
    assert (found.read, found.reasons, found.rejects) == (3, {}, [])
    assert found.notes == {"label with a single text": 1}


@pytest.mark.parametrize(
    "header",
    [
        "id,label",
        "ID,Value",
        "doc_id,class",
        "key,category",
        "uuid,mood",
        "id,anything",
        "label,id",
    ],
)
def test_the_columns_are_known_by_their_names(tmp_path, header):
    rows = ["angry,1", "happy,2"] if header == "label,id" else ["1,angry", "2,happy"]
    found = read(put(tmp_path, "mood.csv", "\n".join([header, *rows])))
    assert found.ids == ["1", "2"]
    assert found.labels == ["angry", "happy"]


def test_the_column_named_like_the_instruction_comes_first(tmp_path):
    path = put(tmp_path, "mood.csv", "id,category,mood\n1,x,angry\n2,y,happy\n")
    assert read(path).labels == ["angry", "happy"]


def test_without_ids_texts_name_the_rows_and_label_all_their_ids(tmp_path):
    rows = [(TEXTS["1"], "angry"), (TEXTS["2"], "happy"), ("not known", "happy")]
    lines = "".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in rows)
    found = read(put(tmp_path, "mood.jsonl", lines))
    assert dict(zip(found.ids, found.labels, strict=True)) == {
        "1": "angry",
        "2": "happy",
        "5": "happy",
    }
    assert found.reasons == {"text not in the corpus": 1}


def test_integer_ids_of_tables_are_matched_as_text(tmp_path):
    (tmp_path / "a").mkdir()
    for ids in ([1, 2], [1.0, 2.0], ["1", "2"]):
        path = tmp_path / "a" / "mood.parquet"
        pl.DataFrame({"id": ids, "label": ["angry", "happy"]}).write_parquet(path)
        assert read(path).ids == ["1", "2"]
    assert read(put(tmp_path, "mood.jsonl", '{"id":1,"label":0}\n{"id":2,"label":1}')).labels == [
        "0",
        "1",
    ]


def test_compressed_label_files_are_read(tmp_path):
    data = gzip.compress(b"id\tlabel\n1\tangry\n2\thappy\n")
    assert read(put(tmp_path, "mood.tsv.gz", data)).labels == ["angry", "happy"]


def test_rows_that_cannot_be_used_are_counted_and_listed(tmp_path):
    lines = ["id,label", "1,angry", "2,happy", "9,angry", "3,", ",happy", "4,angry", "4,happy"]
    lines += ["1,angry", "5", "8,happy"]
    found = read(put(tmp_path, "mood.csv", "\n".join(lines)))
    assert found.ids == ["1", "2"]
    assert found.reasons == {
        "conflicting labels for one id": 2,
        "empty id": 1,
        "empty label": 1,
        "id not in the corpus": 2,
        "repeated row": 1,
        "too few columns": 1,
    }
    assert found.read == len(found.ids) + sum(found.reasons.values())
    listed = {(each.position, each.reason) for each in found.rejects}
    assert listed == {
        (4, "id not in the corpus"),
        (5, "empty label"),
        (6, "empty id"),
        (7, "conflicting labels for one id"),
        (8, "conflicting labels for one id"),
        (9, "repeated row"),
        (10, "too few columns"),
        (11, "id not in the corpus"),
    }
    assert [each.content for each in found.rejects if each.position == 4] == [
        '{"id":"9","label":"angry"}'
    ]


def test_an_empty_label_conflicts_with_nothing(tmp_path):
    found = read(put(tmp_path, "mood.csv", "id,label\n1,angry\n1,\n2,happy\n"))
    assert found.ids == ["1", "2"]


labelled = st.lists(
    st.tuples(st.sampled_from(["1", "2", "3", "4", "9", ""]), st.sampled_from(["a", "b", ""])),
    max_size=14,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(labelled)
def test_the_rules_are_those_of_a_dictionary(tmp_path, rows):
    of: dict[str, list[str]] = {}
    for key, label in rows:
        if key in TEXTS and label:
            of.setdefault(key, []).append(label)
    if all(len(labels) == len(set(labels)) for labels in of.values()):
        expected = {key: joined(labels) for key, labels in of.items()}
    else:  # somebody said something twice, so these are votes
        most = {key: Counter(labels).most_common(1)[0] for key, labels in of.items()}
        expected = {key: label for key, (label, n) in most.items() if 2 * n > len(of[key])}
    lines = "\n".join(["id,label", *(f"{key},{label}" for key, label in rows)])
    path = put(tmp_path, "mood.csv", lines)
    if not expected:
        with pytest.raises(InputError, match="found 0 usable of"):
            read(path, minimum_labels=1)
        return
    found = read(path, minimum_labels=1)
    assert dict(zip(found.ids, found.labels, strict=True)) == expected
    added = found.notes.get(JOINED, 0)
    assert found.read == len(rows) == len(found.ids) + len(found.rejects) + added


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "id,label\n1,a\n2,b\n17,a\n42,b\n99,a\n100,a\n17,a\n",
            r"mood.csv: found 2 usable of 7 rows \(5 id not in the corpus, such as 17, 42, 99\);"
            r" expected at least 3; take in their documents by 'refract ingest', or correct",
        ),
        ("id,label\n", r"found 0 usable of 0 rows; expected at least 3"),
        ("id,label\n1,a\n2,a\n3,a\n4,\n", r"found 1 label \('a'\) on 3 rows; expected at least 2"),
        ("", r"mood.csv: found no line; expected a header"),
        ("id,x,y\n1,a,b\n", r"found columns 'id', 'x', 'y'; expected 'id' .* and 'label'"),
        ("name,label\n1,a\n", r"found columns 'name', 'label'; expected 'id' \(or 'text'\)"),
    ],
)
def test_a_file_that_cannot_be_used_as_a_whole_is_refused(tmp_path, content, message):
    with pytest.raises(InputError, match=message):
        read(put(tmp_path, "mood.csv", content), minimum=3)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("mood.parquet", b"PAR1", "mood.parquet: not readable .*; expected a whole .parquet file"),
        ("mood.csv.gz", b"\x1f\x8b\x08", "mood.csv.gz: not readable"),
        ("mood.xlsx", b"PK", r"found a file of format '.xlsx'; expected labels as .csv"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path, name, content, message):
    with pytest.raises(InputError, match=message):
        read(put(tmp_path, name, content))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"not readable .*; expected a label file; put it there"):
        read(tmp_path / "mood.csv")


@pytest.mark.parametrize("content", ["id,label\n1,a\n2,b\n", ""])
def test_a_file_that_changes_while_it_is_read_is_still_being_written(
    tmp_path, monkeypatch, content
):
    path = put(tmp_path, "mood.csv", content)
    read_rows = labels_module.read_rows

    def slow(part: Part, name: str, separator: str | None, own: object) -> object:
        os.utime(part.path, ns=(1, 1))
        return read_rows(part, name, separator)

    monkeypatch.setattr(labels_module, "read_rows", slow)
    with pytest.raises(InputError, match=r"mood.csv: found the file still being written; .*wait"):
        read(path)


def test_label_files_are_listed_by_instruction(tmp_path):
    for name in ("mood.csv", "topic_2.jsonl.gz", "urgent-now.parquet", "a.tsv.zst", "b.ndjson"):
        put(tmp_path, name, "")
    for name in (".mood.csv", "mood.card.json", "mood.csv.tmp", "mood.csv~", "mood.csv.dvc"):
        put(tmp_path, name, "")
    (tmp_path / "old").mkdir()
    found = label_files(tmp_path)
    assert sorted(found) == ["a", "b", "mood", "topic_2", "urgent-now"]
    assert found["topic_2"].path == tmp_path / "topic_2.jsonl.gz"
    assert not found.errors


def test_bad_names_are_collected_and_the_others_are_listed(tmp_path):
    for name in ("Mood.csv", "my mood.csv", "notes.xlsx", "notes.md", "a.b.csv", "good.csv"):
        put(tmp_path, name, "")
    found = label_files(tmp_path)
    assert list(found) == ["good"]
    assert sorted(found.errors) == ["Mood.csv", "a.b.csv", "my mood.csv", "notes.md", "notes.xlsx"]
    assert "instruction 'Mood'" in str(found.errors["Mood.csv"])
    assert "format '.xlsx'; expected labels as" in str(found.errors["notes.xlsx"])


def test_two_files_for_one_instruction_are_an_error_of_that_instruction(tmp_path):
    for name in ("mood.csv", "mood.tsv", "topic.csv"):
        put(tmp_path, name, "")
    found = label_files(tmp_path)
    assert list(found) == ["topic"]
    assert "found 2 label files for instruction 'mood' (mood.csv, mood.tsv)" in str(
        found.errors["mood"]
    )


def test_a_folder_that_is_not_there_has_no_label_files(tmp_path):
    found = label_files(tmp_path / "labels")
    assert not found
    assert not found.errors


def test_labels_that_differ_in_capitals_are_noted(tmp_path):
    found = read(put(tmp_path, "mood.csv", "id,label\n1,Angry\n2,happy\n3,angry\n4,glad\n"))
    assert found.notes[CASES] == 2
    assert found.noted_labels[CASES] == ["Angry", "angry"]


def test_a_note_about_labels_names_the_first_of_them(tmp_path):
    many = "".join(f"{key},mood {key}\n" for key in TEXTS)
    found = read(put(tmp_path, "mood.csv", f"id,label\n{many}"))
    said = with_names(found.notes, found.noted_labels)
    assert said == {
        "label with a single text ('mood 1', 'mood 2', 'mood 3', 'mood 4', …)": 5,
    }


def test_a_file_in_another_encoding_is_told_so(tmp_path):
    path = put(tmp_path, "mood.csv", "id,label\n1,böse\n2,fröhlich\n".encode("cp1252"))
    with pytest.raises(InputError, match=r"2 invalid UTF-8.*save the file as UTF-8"):
        read(path)
