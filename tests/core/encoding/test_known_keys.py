"""Ids and hashes that were looked up before: the same as the table says, which is asked once."""

import pyarrow as pa
import pytest

from tasks.core.encoding import base_table, known_keys
from tasks.core.encoding.known_keys import KnownKeys
from tasks.core.store import tables


def write(table, texts):
    """Write texts by their hashes, an id each, as the latest version."""
    ids = [f"t{n}" for n in range(len(texts))]
    rows = pa.table({"id": ids, "text_hash": texts})
    tables.commit_whole(table, rows.schema, {}, tables.write_fragments(table, rows, {}, fresh=True))
    return table


@pytest.fixture
def table(tmp_path):
    return write(tmp_path / "base.lance", ["a", "b", "a", "c"])


@pytest.fixture
def asked(monkeypatch):
    """What the table itself was asked for."""
    asked, keys = [], base_table.keys

    def counted(table):
        def read(column, values):
            asked.append(None if values is None else sorted(values))
            return keys(table)(column, values)

        return read

    monkeypatch.setattr(base_table, "keys", counted)
    return asked


def pairs(keys, column, values):
    return [pair for frame in keys(column, values) for pair in frame.iter_rows()]


@pytest.mark.parametrize(
    ("column", "values", "found"),
    [
        ("id", ["t1", "no"], [("t1", "b")]),
        ("text_hash", ["a", "c"], [("t0", "a"), ("t2", "a"), ("t3", "c")]),
        ("id", [], []),
        ("id", None, [("t0", "a"), ("t1", "b"), ("t2", "a"), ("t3", "c")]),
    ],
)
def test_they_are_those_of_the_table_the_second_time_as_well(table, column, values, found):
    keys = KnownKeys(table)
    assert pairs(keys, column, values) == pairs(keys, column, values) == found


def test_each_is_asked_for_once_a_version_also_what_is_not_there(table, asked):
    keys = KnownKeys(table)
    pairs(keys, "id", ["t1", "t7"])
    pairs(keys, "id", ["t1", "t2", "t7"])
    pairs(keys, "text_hash", ["a"])
    assert asked == [["t1", "t7"], ["t2"], ["a"]]
    write(table, ["x"] * 8)
    assert pairs(keys, "id", ["t1", "t7"]) == [("t1", "x"), ("t7", "x")]


def test_no_more_are_remembered_than_there_is_room_for(table, asked, monkeypatch):
    monkeypatch.setattr(known_keys, "_MOST", 2)
    keys = KnownKeys(table)
    for values in (["t0", "t1"], ["t0", "t2"], ["t0", "t1", "t2"], ["t2"]):
        assert pairs(keys, "id", values) == [(key, "abac"[int(key[1])]) for key in values]
    assert asked == [["t0", "t1"], ["t2"], ["t0", "t1", "t2"]]
