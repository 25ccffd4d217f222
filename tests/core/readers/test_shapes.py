"""The shapes that JSON, tables and compressed files come in."""

import json

import pyarrow as pa
import pytest

from tasks.core.readers import formats, json_reader
from tasks.core.readers.jsonl_reader import TABLE
from tasks.core.readers.read_documents import batches
from tasks.core.workspace.errors import InputError
from tests.core.readers.written import compress, put, read, reasons


def test_json_values_become_the_text_that_stands_for_them(tmp_path):
    row = {
        "text": "t",
        "n": 3,
        "x": 1.5,
        "whole": 17.0,
        "ok": True,
        "none": None,
        "deep": {"a": ["é"]},
    }
    path = put(tmp_path / "a.jsonl", json.dumps(row) + '\n{"text": "u", "x": NaN, "late": 1}\n')
    columns, _ = read(path)
    assert columns == {
        "text": ["t", "u"],
        "n": ["3", None],
        "x": ["1.5", None],
        "whole": ["17", None],
        "ok": ["true", None],
        "none": [None, None],
        "deep": ['{"a":["é"]}', None],
        "late": [None, "1"],
    }


def test_table_values_become_the_text_that_stands_for_them(tmp_path):
    table = pa.table(
        {
            "id": pa.array([17.0, None, float("nan")]),
            "n": pa.array([1, -2, None], pa.int8()),
            "ok": [True, False, None],
            "half": pa.array([0.5, None, 2.0], pa.float16()),
            "word": pa.array(["a", "b", None]).dictionary_encode(),
            "deep": [{"a": [1, 2]}, None, {"a": []}],
            "day": pa.array([0, None, 1], pa.date32()),
            "raw": pa.array([b"x", "é".encode(), None]),
        }
    )
    pa.parquet.write_table(table, tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet")[0] == {
        "id": ["17", None, None],
        "n": ["1", "-2", None],
        "ok": ["true", "false", None],
        "half": ["0.5", None, "2"],
        "word": ["a", "b", None],
        "deep": ['{"a":[1,2]}', None, '{"a":[]}'],
        "day": ["1970-01-01", None, "1970-01-02"],
        "raw": ["x", "é", None],
    }


def test_json_is_read_in_whatever_shape_it_stands(tmp_path):
    expected = {"text": ["a", "b"]}
    for number, content in enumerate(
        (
            '{"text":"a"}\n{"text":"b"}\n',
            '[{"text":"a"},{"text":"b"}]',
            '[\n{"text":"a"},\n{"text":"b"}\n]\n',
            '{\n "text": "a"\n}\n{\n "text": "b"\n}\n',
        )
    ):
        for suffix in (".json", ".jsonl"):
            path = put(tmp_path / f"{number}{suffix}", content)
            assert read(path) == (expected, []), path


def test_values_of_an_array_are_read_whatever_the_blocks(tmp_path, monkeypatch):
    rows = [{"text": f"[{n}], " * n, "deep": {"n": [n]}} for n in range(40)]
    path = put(tmp_path / "a.json", json.dumps([*rows, "x", {"text": "\ud800"}], indent=1))
    whole = list(batches(path))
    monkeypatch.setattr(json_reader, "BLOCK_SIZE", 16)
    assert list(batches(path)) == whole
    assert whole[0].columns["text"] == [row["text"] for row in rows]
    assert reasons(path) == [(41, "JSON that is not an object"), (42, "invalid UTF-8")]


@pytest.mark.parametrize("end", ["", '{"te', "nonsense]", "] and more"])
def test_an_array_that_breaks_off_is_refused(tmp_path, end):
    path = put(tmp_path / "a.json", '[{"text":"a"},' + end)
    with pytest.raises(InputError, match=r"not readable \(.* behind value 1\); expected JSON L"):
        read(path)


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.csv.zst"])
@pytest.mark.parametrize("compression", ["", ".gz", ".zst"])
def test_compression_is_found_by_content(tmp_path, name, compression):
    path = put(tmp_path / name, compress(b"id,text\n1,hello\n", compression))
    assert read(path) == ({"id": ["1"], "text": ["hello"]}, [])


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        ("a.csv", b"PK\x03\x04....", "a zip archive or an Excel workbook"),
        ("a.txt", b"version https://git-lfs.github.com/spec/v1\noid", "a pointer of Git LFS"),
        ("a.jsonl", b"PAR1....", "Parquet"),
        ("a.txt", b"%PDF-1.7", "a PDF"),
        ("a.csv.gz", b"BZh91AY", "bzip2"),
    ],
)
def test_a_file_of_another_format_is_named_by_its_content(tmp_path, name, data, what):
    with pytest.raises(InputError, match=f"found {what} by its content; expected .*; unpack"):
        read(put(tmp_path / name, data))


def test_a_zstandard_window_that_is_too_large_is_told_apart_from_damage(tmp_path):
    # a frame without its size: descriptor 0, a window of 2 GiB (21 << 3), an empty last block
    frame = b"\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00"
    with pytest.raises(InputError, match=r"window above 128 MiB .* again without --long"):
        read(put(tmp_path / "a.csv.zst", frame))


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_a_table_without_a_byte_is_empty(tmp_path, suffix):
    with pytest.raises(formats.EmptyFileError, match="found no byte"):
        read(put(tmp_path / f"a{suffix}", b""))


def test_a_table_of_pandas_written_by_columns_is_no_document(tmp_path):
    by_columns = {"id": {"0": 1, "1": 2}, "text": {"0": "one", "1": "two"}}
    columns, rejected = read(put(tmp_path / "a.json", json.dumps(by_columns)))
    assert not any(columns.values())
    assert [each.reason for each in rejected] == [TABLE]
