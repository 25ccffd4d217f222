import datetime
import decimal
import uuid

import pyarrow as pa
import pytest

from tasks.core.readers.arrow_cells import UnreadableError, cells
from tasks.core.readers.read_documents import batches

FAR = 400 * 10**9  # seconds: the year 14,645, which Python's datetime does not have
KEY = uuid.UUID(int=7)


@pytest.mark.parametrize(
    ("column", "texts"),
    [
        (pa.array([1, None]), ["1", None]),
        (pa.array([1.0, None, 2.0, float("nan")]), ["1", None, "2", None]),
        (
            pa.array([1e15, 2.0**53 - 1, 1e22, 0.5]),
            ["1000000000000000", str(2**53 - 1), "1e+22", "0.5"],
        ),
        (pa.array(["1.0", "001"]), ["1.0", "001"]),
        (pa.array([1.0], pa.float16()), ["1"]),
        (pa.array([decimal.Decimal("1.10")]), ["1.10"]),
        (pa.array([KEY.bytes, None], pa.uuid()), [str(KEY), None]),
        (pa.array([KEY.bytes], pa.binary(16)), [str(KEY)]),
        (pa.array([b"abc", b"\xff\x00\x01"], pa.binary(3)), ["abc", "ff0001"]),
        (pa.array([1500, None], pa.duration("ms")), ["1.5", None]),
        (pa.array([FAR], pa.timestamp("s")), ["14645-06-30 15:06:40"]),
        (pa.array([10**15], pa.timestamp("s")), ["1000000000000000 s since 1970"]),
        (pa.array([10**7], pa.date32()), ["29349-01-26"]),
        (pa.array([1], pa.time64("ns")), ["00:00:00.000000001"]),
        (pa.array(["a", None, "a"]).dictionary_encode(), ["a", None, "a"]),
        (pa.array([(1, 2, 3)], pa.month_day_nano_interval()), ["[1,2,3]"]),
        (pa.array([{"a": 'x"'}, None]), ['{"a":"x\\""}', None]),
        (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int8())), ['{"k":1}']),
        (pa.array([[1, 2]], pa.list_(pa.int8(), 2)), ["[1,2]"]),
        (pa.array([[1]], pa.list_view(pa.int8())), ["[1]"]),
        (pa.array(['{"a":1}'], pa.json_()), ['{"a":1}']),
        (pa.nulls(2), [None, None]),
        (pa.array(["a", None], pa.string_view()), ["a", None]),
    ],
    ids=lambda value: str(getattr(value, "type", "")),
)
def test_every_type_has_its_text(column, texts):
    assert cells(column) == (texts, 0)


@pytest.mark.parametrize(
    "kind",
    [
        pa.struct([("t", pa.timestamp("s"))]),
        pa.struct([("t", pa.timestamp("s", "Europe/Paris"))]),
        pa.struct([("t", pa.date64())]),
    ],
)
def test_times_in_nested_values_may_be_far_away(kind):
    scale = 1000 if pa.types.is_date64(kind.field(0).type) else 1
    (text,), _ = cells(pa.array([{"t": FAR * scale // 86_400_000 * 86_400_000}], kind))
    assert text is not None
    assert '"t":"1464' in text


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.timestamp("ns")),
        pa.list_view(pa.timestamp("ns")),
        pa.list_(pa.timestamp("ns"), 1),
    ],
)
def test_nanoseconds_in_lists_are_kept(kind):
    assert cells(pa.array([[1], None], kind))[0][0] == '["1970-01-01 00:00:00.000000001"]'


def test_bytes_that_are_no_text_are_left_out_and_counted():
    assert cells(pa.array([b"abc", b"\xff", None])) == (["abc", None, None], 1)


def test_vectors_are_no_metadata():
    with pytest.raises(UnreadableError, match="vectors of 64 numbers"):
        cells(pa.array([[1.0] * 64], pa.list_(pa.float32(), 64)))
    storage = pa.array([[1.0, 2, 3, 4]], pa.list_(pa.float32(), 4))
    with pytest.raises(UnreadableError, match="tensors"):
        cells(pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(pa.float32(), (2, 2)), storage))


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_a_column_that_cannot_be_read_costs_itself_alone(tmp_path, suffix):
    table = pa.table(
        {
            "id": pa.array([1.0, None, 3.0]),
            "text": ["a", "b", "c"],
            "vector": pa.array([[1.0] * 64] * 3, pa.list_(pa.float32(), 64)),
            "raw": [b"\xff", b"fine", None],
            "when": pa.array([datetime.timedelta(seconds=90)] * 3),
        }
    )
    path = tmp_path / f"a{suffix}"
    if suffix == ".parquet":
        pa.parquet.write_table(table, path)
    else:
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table, max_chunksize=2)
    found = list(batches(path))
    assert [text for batch in found for text in batch.columns["text"]] == ["a", "b", "c"]
    assert [key for batch in found for key in batch.columns["id"]] == ["1", None, "3"]
    assert [each for batch in found for each in batch.columns["raw"]] == [None, "fine", None]
    assert {each for batch in found for each in batch.columns["when"]} == {"90"}
    assert not any("vector" in batch.columns for batch in found)
    kind = "fixed_size_list<element: float>[64]" if suffix == ".parquet" else ""
    said = [remark for batch in found for remark in batch.remarks]
    assert said[0].startswith("column 'vector' (fixed_size_list<") or not kind
    assert said[0].endswith("is left out: vectors of 64 numbers")
    assert said[1:] == ["column 'raw' (binary): 1 values are left out, no text"]
