"""Whatever stands in a file, its rows are read or rejected, and nothing else is raised."""

import polars as pl
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from tasks.core.readers import formats
from tasks.core.readers.read_documents import batches
from tasks.core.workspace.errors import InputError
from tests.core.readers.written import compress, encode, put, read

UTF_16 = (b"\xff\xfe", b"\xfe\xff")
OTHER_BEGINNINGS = (*UTF_16, *formats.MAGICS, *formats.OTHERS, b"[")
properties = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
texts = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), max_size=12)


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
