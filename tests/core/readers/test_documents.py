import csv
import gzip
import io
import json
import os
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from tasks.core.documents.sources import expand
from tasks.core.readers import csv_quoting, csv_reader, formats, json_reader, records
from tasks.core.readers.columns import detect_columns
from tasks.core.readers.formats import Hints
from tasks.core.readers.jsonl_reader import TABLE
from tasks.core.readers.read_documents import batches
from tasks.core.workspace.errors import InputError

REST = "the first 256 are read; name others that matter in params.yaml: ingest.metadata"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
OTHER_BEGINNINGS = (*UTF_16, *formats.MAGICS, *formats.OTHERS, b"[")
properties = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
texts = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), max_size=12)


def encode(rows: Sequence[Sequence[str]], suffix: str, names: Sequence[str]) -> bytes:
    if suffix == ".jsonl":
        lines = (json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows)
        return "".join(lines).encode()
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter="\t" if suffix == ".tsv" else ",")
    writer.writerow(names)
    writer.writerows(rows)
    return out.getvalue().encode()


def compress(data: bytes, suffix: str) -> bytes:
    if suffix == ".gz":
        return gzip.compress(data)
    return pa.compress(data, "zstd", asbytes=True) if suffix == ".zst" else data


def put(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(
    path: Path, rows: int = 50_000
) -> tuple[dict[str, list[str | None]], list[records.Reject]]:
    columns: dict[str, list[str | None]] = {}
    rejected: list[records.Reject] = []
    for batch in batches(path, rows):
        assert len(batch) + len(batch.rejected) <= rows
        for name, values in batch.columns.items():
            assert len(values) == len(batch.positions) == len(batch.paths)
            columns.setdefault(name, []).extend(values)
        rejected += batch.rejected
    return columns, rejected


def remarks(path: Path) -> list[str]:
    return [remark for batch in batches(path) for remark in batch.remarks]


def reasons(path: Path) -> list[tuple[int, str]]:
    return [(each.position, each.reason) for each in read(path)[1]]


@pytest.mark.parametrize("compression", ["", ".gz", ".zst"])
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
@properties
@given(texts=texts, rows=st.integers(1, 5))
def test_any_texts_written_are_read_back(tmp_path, suffix, compression, texts, rows):
    table = [(str(number), text) for number, text in enumerate(texts)]
    data = encode(table, suffix, ["id", "text"])
    path = put(tmp_path / f"a{suffix}{compression}", compress(data, compression))
    columns, rejected = read(path, rows)
    assert columns.get("text", []) == texts
    assert not rejected


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".feather", ".ipc"])
@properties
@given(texts=texts)
def test_any_texts_in_a_table_are_read_back(tmp_path, suffix, texts):
    path = tmp_path / f"a{suffix}"
    frame = pl.DataFrame({"text": pl.Series(texts, dtype=pl.String)})
    if suffix == ".parquet":
        frame.write_parquet(path)
    elif suffix == ".ipc":
        frame.write_ipc_stream(path)
    else:
        frame.write_ipc(path)
    assert read(path, rows=3) == ({"text": texts}, [])


@properties
@given(data=st.binary(max_size=400))
@example(data=b"\xef")  # the first byte of a mark
@example(data=b"\xef\xbb\xbf")
def test_every_line_of_arbitrary_json_lines_is_kept_or_rejected(tmp_path, data):
    assume(not data.startswith(OTHER_BEGINNINGS))
    path = put(tmp_path / "a.jsonl", data)
    kept = sum(len(batch) for batch in batches(path, 3))
    lines = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape").split("\n")
    assert kept + len(read(path)[1]) == sum(not line.isspace() and line != "" for line in lines)


@properties
@given(data=st.binary(max_size=400).map(lambda data: data.replace(b'"', b"").replace(b"\r", b"")))
def test_every_line_of_arbitrary_csv_is_kept_or_rejected(tmp_path, data):
    path = put(tmp_path / "a.csv", b"id,text\n" + data)
    kept = sum(len(batch) for batch in batches(path, 3))
    assert kept + len(read(path)[1]) == sum(line != b"" for line in data.split(b"\n"))


@properties
@given(
    data=st.lists(st.sampled_from(['"', ",", "a", "\n", "\r\n", '""', "\r", "é"]), max_size=60),
    rows=st.integers(1, 7),
)
def test_however_quotes_are_lost_positions_rise_and_batches_agree(tmp_path, data, rows):
    path = put(tmp_path / "a.csv", "id,text\n" + "".join(data))
    small = list(batches(path, rows))
    positions = sorted(
        [place for batch in small for place in batch.positions]
        + [each.position for batch in small for each in batch.rejected]
    )
    assert len(set(positions)) == len(positions)
    assert all(place >= 2 for place in positions)
    assert read(path, rows) == read(path)


@pytest.mark.parametrize(
    "name",
    ["a.csv", "a.tsv", "a.jsonl", "a.txt", "a.csv.gz", "a.jsonl.zst", "a.parquet", "a.arrow"],
)
@properties
@given(data=st.binary(max_size=300))
def test_arbitrary_bytes_raise_nothing_but_input_errors(tmp_path, name, data):
    path = put(tmp_path / name, data)
    try:
        read(path)
    except InputError as error:
        assert str(path) in str(error)
        assert "\n" not in str(error)


@pytest.mark.parametrize("suffix", [".csv.gz", ".jsonl.zst", ".parquet", ".arrow"])
def test_a_file_cut_anywhere_raises_nothing_but_an_input_error(tmp_path, suffix):
    texts = [f"text number {number}" for number in range(200)]
    frame = pl.DataFrame({"text": texts})
    path = tmp_path / f"a{suffix}"
    if suffix == ".parquet":
        frame.write_parquet(path)
    elif suffix == ".arrow":
        frame.write_ipc(path)
    else:
        stem, compression = suffix[: -len(".gz")], "." + suffix.rsplit(".")[-1]
        stem = ".csv" if "csv" in suffix else ".jsonl"
        put(path, compress(encode([(each,) for each in texts], stem, ["text"]), compression))
    data = path.read_bytes()
    for cut in range(1, len(data), max(1, len(data) // 40)):
        path.write_bytes(data[:cut])
        with pytest.raises(InputError, match=r"not readable .*; expected a whole .* make or"):
            read(path)


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


def test_columns_without_a_name_or_with_the_same_get_one(tmp_path):
    columns, _ = read(put(tmp_path / "a.csv", ",text,text, note \n0,a,b,c\n"))
    assert list(columns) == ["column_1", "text", "text_2", "note"]


def test_text_and_id_are_detected_whatever_their_case():
    found = detect_columns(["Author", "ID", "Message", "Stars"])
    assert (found.id, found.text, found.metadata) == ("ID", "Message", ("Author", "Stars"))


def test_text_comes_before_other_names_of_it():
    assert detect_columns(["tweet", "body", "text"]).text == "text"


def test_a_configured_column_wins_over_detection():
    found = detect_columns(["id", "text", "code", "summary"], "code", "Summary", ["text"])
    assert (found.id, found.text, found.metadata) == ("code", "summary", ("text",))


def test_without_an_id_column_there_is_none():
    assert detect_columns(["text", "stars"]).id is None


@pytest.mark.parametrize(
    ("header", "options", "message"),
    [
        (["id", "words"], {}, "a.csv: found no text column among 'id', 'words'; .*ingest.text"),
        ([], {}, "among none"),
        (["id", "text"], {"text": "words"}, "expected 'words', which params.yaml: ingest.text"),
        (["id", "text"], {"id": "key"}, "found columns 'id', 'text'; .*ingest.id"),
        (["id", "text"], {"metadata": ["stars"]}, "expected 'stars', .*ingest.metadata"),
        (["id", "text"], {"id": "text", "text": "text"}, "'text' for both id and text"),
    ],
)
def test_columns_that_are_not_there_are_named(header, options, message):
    with pytest.raises(InputError, match=message):
        detect_columns(header, source="a.csv", **options)


def test_a_folder_gives_its_files_sorted_and_without_hidden_ones(tmp_path):
    for name in ("b.csv", "a/z.jsonl", "a/y.txt.gz", ".hidden.csv", ".git/x.csv", "b.csv.dvc"):
        put(tmp_path / "raw" / name, "x")
    files = [path.relative_to(tmp_path / "raw").as_posix() for path in expand(["raw"], tmp_path)]
    assert files == ["a/y.txt.gz", "a/z.jsonl", "b.csv"]


def test_sources_keep_their_order_and_each_file_comes_once(tmp_path):
    for name in ("b.csv", "a.csv"):
        put(tmp_path / name, "x")
    files = expand(["b.csv", "*.csv", str(tmp_path / "a.csv")], tmp_path)
    assert [path.name for path in files] == ["b.csv", "a.csv"]


@pytest.mark.parametrize(
    "pattern", ["raw/**/*.csv", "raw/*/?.csv", "other/../raw/sub/[ab].csv", "r*/**"]
)
def test_globs_are_relative_to_the_root_or_absolute(tmp_path, pattern):
    put(tmp_path / "raw/sub/a.csv", "x")
    (tmp_path / "other").mkdir()
    assert len(expand([pattern], tmp_path)) == 1
    assert len(expand([str(tmp_path / pattern)], Path("/"))) == 1


def test_a_name_with_brackets_is_a_file_if_it_exists(tmp_path):
    path = put(tmp_path / "a[1].csv", "x")
    assert expand(["a[1].csv"], tmp_path) == [path]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("no.csv", "no.csv: found no such file or folder; expected documents; correct the path"),
        ("empty", "empty: found an empty folder; expected documents in it"),
        ("*.jsonl", "found no file that matches; expected at least one; correct the pattern"),
        ("raw/a**", r"raw/a\*\*: found a pattern that is none .*; correct it"),
        ("a.pdf", r"1 of 1 files of another format \(a.pdf\); expected .csv, .tsv, .*convert"),
        ("mixed", r"4 of 4 files of another format \(a.docx, b.xls, c.parquet.gz and 1 more\)"),
    ],
)
def test_sources_that_are_none_are_named_with_the_way_on(tmp_path, source, message):
    (tmp_path / "empty").mkdir()
    put(tmp_path / "a.pdf", "x")
    for name in ("a.docx", "b.xls", "c.parquet.gz", "d"):
        put(tmp_path / "mixed" / name, "x")
    with pytest.raises(InputError, match=message):
        expand([source], tmp_path)


def test_no_source_at_all_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"found no source .* params.yaml: ingest.sources"):
        expand([], tmp_path)


def test_a_missing_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="not readable"):
        read(tmp_path / "gone.csv")


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


def test_a_table_of_pandas_written_by_columns_is_no_document(tmp_path):
    by_columns = {"id": {"0": 1, "1": 2}, "text": {"0": "one", "1": "two"}}
    columns, rejected = read(put(tmp_path / "a.json", json.dumps(by_columns)))
    assert not any(columns.values())
    assert [each.reason for each in rejected] == [TABLE]
