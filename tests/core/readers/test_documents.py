import csv
import io
import json
import os
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from tasks.core.readers import csv_quoting, csv_reader, records
from tasks.core.readers.formats import Hints
from tasks.core.readers.read_documents import batches
from tasks.core.workspace.errors import InputError
from tests.core.readers.written import compress, encode, put, read, reasons, remarks

REST = "the first 256 are read; name others that matter in params.yaml: ingest.metadata"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_splits_the_header(tmp_path, delimiter):
    rows = [["id", "text", "note, if any"], ["1", "a; b, c | d\te", "x"]]
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    columns, _ = read(put(tmp_path / "a.csv", out.getvalue()))
    assert columns == {"id": ["1"], "text": ["a; b, c | d\te"], "note, if any": ["x"]}


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path):
    columns, _ = read(put(tmp_path / "a.csv", b"\xef\xbb\xbfid,text\n1,hello\n"))
    assert columns == {"id": ["1"], "text": ["hello"]}


def test_line_ends_inside_quotes_stay_as_they_are(tmp_path):
    path = put(tmp_path / "a.csv", 'id,text\r\n1,"one\r\ntwo\nthree"\r\n2,four\r\n')
    (batch,) = batches(path)
    assert batch.columns["text"] == ["one\r\ntwo\nthree", "four"]
    assert batch.positions == [2, 5]


def test_rows_with_faults_are_rejected_and_the_rest_passes(tmp_path):
    data = b"id,text\n1,good\n2\n3,a,b\n4,caf\xe9\n\n5,fine\n"
    path = put(tmp_path / "a.csv", data)
    assert read(path)[0]["text"] == ["good", "fine"]
    assert reasons(path) == [
        (3, "too few columns"),
        (4, "too many columns"),
        (5, "invalid UTF-8"),
    ]
    assert read(path)[1][2].content == r"4,caf\xe9"


def test_json_lines_with_faults_are_rejected_and_the_rest_passes(tmp_path):
    lines = [b'{"text": "good"}', b'{"text": ', b"[1]", b'{"text": "\xff"}', b"  ", b'"x"']
    lines += [b'{"text": "\\ud800"}', b"[" * 200_000, b"1" * 5_000, b'{"text": "fine"}']
    path = put(tmp_path / "a.jsonl", b"\n".join(lines))
    assert read(path)[0] == {"text": ["good", "fine"]}
    assert reasons(path) == [
        (2, "malformed JSON"),
        (3, "JSON that is not an object"),
        (4, "invalid UTF-8"),
        (6, "JSON that is not an object"),
        (7, "invalid UTF-8"),
        (8, "malformed JSON"),
        (9, "malformed JSON"),
    ]


def test_a_lost_quote_costs_one_row(tmp_path):
    path = put(tmp_path / "a.csv", 'id,text\n1,good\n2,"lost\n3,fine\n4,"quoted, well"\n5,"end\n')
    assert read(path)[0]["id"] == ["1", "3", "4"]
    assert reasons(path) == [(3, "unbalanced quote?"), (6, "unbalanced quote?")]


def test_quotes_inside_unquoted_text_are_text(tmp_path):
    columns, rejected = read(put(tmp_path / "a.csv", 'id,text\n1,he said "no"\n'))
    assert columns["text"] == ['he said "no"']
    assert not rejected


def test_a_text_longer_than_the_limit_is_rejected_and_reading_goes_on(tmp_path, monkeypatch):
    for module in (records, csv_reader, csv_quoting):
        monkeypatch.setattr(module, "ROW_LIMIT", 2_000)
    monkeypatch.setattr(records, "BLOCK_SIZE", 64)
    path = put(tmp_path / "a.csv", f"id,text\n1,{'x' * 9_000}\n2,fine\n3,{'y' * 1_500}\n")
    assert read(path)[0]["id"] == ["2", "3"]
    assert [position for position, _ in reasons(path)] == [2]


def test_a_quote_that_swallows_more_than_a_row_may_hold_costs_one_row(tmp_path, monkeypatch):
    limit = csv.field_size_limit(1_000)
    for module in (records, csv_reader, csv_quoting):
        monkeypatch.setattr(module, "ROW_LIMIT", 2_000)
    swallowed = "3,good in itself\n" * 1_000
    path = put(tmp_path / "a.csv", f'id,text\n1,fine\n2,"lost\n{swallowed}4,"quoted"\n')
    try:
        assert len(read(path)[0]["id"]) == 1_002
        assert reasons(path) == [(3, "unbalanced quote?")]
    finally:
        csv.field_size_limit(limit)


def test_long_texts_pass(tmp_path):
    text = "word " * 200_000
    path = put(tmp_path / "a.csv", encode([("1", text)], ".csv", ["id", "text"]))
    assert read(path)[0]["text"] == [text]


@pytest.mark.parametrize("size", [1, 7, 64])
def test_the_size_of_a_block_changes_nothing(tmp_path, monkeypatch, size):
    path = put(tmp_path / "a.csv", 'id,text\r\n1,"a\r\nb\rc"\r2,dé\r\n\r\n3,"x\n4,z')
    whole = list(batches(path))
    monkeypatch.setattr(records, "BLOCK_SIZE", size)
    assert list(batches(path)) == whole
    assert whole[0].columns["text"] == ["a\r\nb\rc", "dé", "z"]


def test_batches_are_bounded_by_characters_too(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "BATCH_LIMIT", 1_000)
    monkeypatch.setattr(records, "BLOCK_SIZE", 100)
    path = put(tmp_path / "a.csv", "id,text\n" + "".join(f"{n},{'x' * 90}\n" for n in range(100)))
    sizes = [len(batch) for batch in batches(path)]
    assert sum(sizes) == 100
    assert max(sizes) <= 11


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_invalid_utf8_in_a_table_rejects_its_row(tmp_path, suffix):
    raw = pa.array([b"fine", b"caf\xe9", b"good"]).view(pa.string())
    table = pa.table({"id": ["1", "2", "3"], "text": raw})
    path = tmp_path / f"a{suffix}"
    if suffix == ".parquet":
        pa.parquet.write_table(table, path)
    else:
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table)
    assert read(path)[0] == {"id": ["1", "3"], "text": ["fine", "good"]}
    assert reasons(path) == [(2, "invalid UTF-8")]


def test_more_keys_than_columns_make_sense_are_left_out_but_not_their_rows(tmp_path):
    lines = [{f"key{n}": 1, "text" if n > 298 else "note": "a"} for n in range(300)]
    path = put(tmp_path / "a.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    columns, rejected = read(path)
    assert columns["text"] == [None] * 299 + ["a"]
    assert len(columns) == 257
    assert not rejected
    assert remarks(path) == [f"more than 256 different keys: {REST}"]


def test_of_ten_thousand_columns_those_that_matter_are_read(tmp_path):
    names = [*(f"x{n}" for n in range(10_000)), "text"]
    path = put(tmp_path / "a.csv", encode([["1"] * 10_000 + ["hello"]] * 3, ".csv", names))
    assert read(path)[0]["text"] == ["hello"] * 3
    assert len(read(path)[0]) == 257
    assert remarks(path) == [f"10,001 columns: {REST}"]
    pl.DataFrame({name: ["1"] for name in names}).write_parquet(tmp_path / "a.parquet")
    hints = Hints(columns=("X9999",))
    (batch,) = batches(tmp_path / "a.parquet", hints=hints)
    assert [*batch.columns][-2:] == ["x9999", "text"]
    assert batch.remarks == [f"10,001 columns: {REST}"]


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.txt.gz"])
def test_a_text_file_is_one_document(tmp_path, name):
    text = "# Title\r\n\nBody\n"
    path = put(tmp_path / name, compress(text.encode(), Path(name).suffix))
    assert read(path) == ({"text": [text]}, [])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "found no line; expected a header"),
        (b"\xe9d,text\n", r"header that is not UTF-8 text .*save the file as UTF-8, or name"),
        (b"i\x00d\x00", "header that is not UTF-8 text"),
        (b'id,"text\n1,a\n', "header that cannot be split .*; correct it"),
    ],
)
def test_a_header_that_is_none_is_refused(tmp_path, data, message):
    with pytest.raises(InputError, match=message):
        read(put(tmp_path / "a.csv", data))


def test_a_missing_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="not readable"):
        read(tmp_path / "gone.csv")


def test_a_name_that_is_not_utf_8_is_read(tmp_path):
    for suffix in (".csv", ".parquet", ".arrow"):
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9" + suffix.encode()))
        frame = pl.DataFrame({"id": ["1"], "text": ["a"]})
        with path.open("wb") as file:
            if suffix == ".csv":
                frame.write_csv(file)
            elif suffix == ".parquet":
                frame.write_parquet(file)
            else:
                frame.write_ipc(file)
        assert read(path) == ({"id": ["1"], "text": ["a"]}, [])


def test_a_backslash_and_an_n_alone_are_nothing_in_a_dump(tmp_path):
    path = put(tmp_path / "a.tsv", "id\ttext\tnote\n1\t\\N\t5\n2\ta\\Nb\t\\N\n")
    columns, rejected = read(path)
    assert columns == {"id": ["1", "2"], "text": [None, "a\\Nb"], "note": ["5", None]}
    assert not rejected
