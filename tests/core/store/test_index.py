"""Indices: extended by what is new, merged by upkeep, and searched as far as was measured."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.core.store import index, maintenance, making, recall, tables
from tasks.core.store.searcher import Searcher
from tasks.core.workspace.manifest import object_of
from tests.random_rows import FROM, QUERY, SIZE, exact, found, names, segments, write


def processes(monkeypatch):
    """Return a list of what is made in processes of their own from here on."""
    made, apart = [], making._apart
    monkeypatch.setattr(
        making, "_apart", lambda what, table: made.append(what) or apart(what, table)
    )
    return made


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "t.lance"
    write(path, names(1_200), fresh=True)
    return path


def size(path):
    return {file: file.stat().st_size for file in path.rglob("*") if file.is_file()}


def test_below_its_bound_a_table_gets_no_index(table):
    before = tables.version(table)
    assert not index.index(table, 1_201)
    assert tables.version(table) == before
    assert recall.probes(tables.open_table(table)) is None


@pytest.mark.parametrize("wide", [SIZE, SIZE + 1])
def test_an_indexed_table_finds_the_same_nearest_rows(table, monkeypatch, wide):
    monkeypatch.setattr(making, "_WIDE", wide)  # an index of rounded vectors, or of whole ones
    before = Searcher(table, live=False).nearest(QUERY, 5, None, ["id"])
    assert index.index(table, FROM)
    after = Searcher(table, live=False).nearest(QUERY, 5, None, ["id"])
    assert [hit.row["id"] for hit in after] == [hit.row["id"] for hit in before]
    assert [hit.score for hit in after] == pytest.approx([hit.score for hit in before], abs=1e-5)


@settings(deadline=None, max_examples=4)
@given(changes=st.lists(st.tuples(st.integers(1, 300), st.integers(0, 90)), max_size=4))
def test_after_any_changes_every_row_is_indexed_once_and_found(tmp_path_factory, changes):
    """Rows leave and arrive; segments stay few and grow by halves; results are those of a scan."""
    path = tmp_path_factory.mktemp("t") / "t.lance"
    write(path, names(1_200), fresh=True)
    index.index(path, FROM)
    have, at = names(1_200), 1_200
    for many, gone in changes:
        new, retired = names(many, at), have[:gone]
        at += many
        write(path, new, retired=retired, seed=at)
        have = have[gone:] + new
        index.index(path, FROM)
        for column in ("id", "text_hash", tables.VECTOR):
            *sizes, unindexed = segments(path, column)
            assert unindexed == 0
            later = sizes[1:] if column == tables.VECTOR else sizes
            assert all(2 * sum(later[n + 1 :]) < later[n] for n in range(len(later) - 1))
    assert set(found(path, QUERY, len(have))) == set(have)
    for where in (None, "kind = 7"):
        assert found(path, QUERY, 5, where) == exact(path, QUERY, 5, where)


def test_a_small_change_adds_a_small_segment_and_leaves_the_others(tmp_path):
    path = tmp_path / "t.lance"
    write(path, names(20_000), fresh=True)
    index.index(path, FROM)
    before = size(path)
    write(path, ["new"], retired=["n00007"])
    index.index(path, FROM)
    after = size(path)
    assert {file for file in before if "_indices" in file.parts} <= after.keys()
    added = sum(s for file, s in after.items() if before.get(file) != s)
    assert added < 40_000 < sum(before.values()) / 20
    assert segments(path, tables.VECTOR)[1:] == [1, 0]


def test_nothing_new_makes_no_version(table):
    index.index(table, FROM)
    before = tables.version(table)
    assert index.index(table, FROM)
    assert not index.merge(table)
    assert tables.version(table) == before


def test_an_index_neither_keeps_retired_rows_nor_misses_new_ones(table):
    assert index.index(table, FROM)
    searcher = Searcher(table, live=False)
    vector = searcher.vector_of("n00007")
    write(table, ["new"], retired=["n00007", "n00008"])
    for indexed_anew in (False, True):
        if indexed_anew:
            assert index.index(table, FROM)
        before, searcher = searcher, searcher.newest()
        assert searcher is not before
        hits = searcher.nearest(vector, 1_199, None, ["id"])
        assert {hit.row["id"] for hit in hits} == {"new", *names(1_200)} - {"n00007", "n00008"}
        assert searcher.vector_of("n00007") is None
        assert searcher.vector_of("new") is not None


def test_as_many_new_rows_as_old_ones_make_the_partitions_anew(table):
    index.index(table, FROM)
    first = recall.probes(tables.open_table(table))
    write(table, names(1_199, 1_200))
    index.index(table, FROM)
    assert recall.probes(tables.open_table(table)) == first
    write(table, ["one"])
    index.index(table, FROM)
    assert recall.probes(tables.open_table(table)).index != first.index
    assert segments(table, tables.VECTOR) == [2_400, 0]


def test_upkeep_makes_each_index_one_segment_and_measures_it(table):
    index.index(table, FROM)
    first = recall.probes(tables.open_table(table))
    for at in (1_200, 1_300):
        write(table, names(90, at), retired=names(5, at - 1_000), seed=at)
        index.index(table, FROM)
    assert maintenance.compact(table, 2)
    assert index.merge(table)
    again = recall.probes(tables.open_table(table))
    assert again.recall >= recall.ENOUGH
    assert again.index != first.index
    for column in ("id", "text_hash", tables.VECTOR):
        assert len(segments(table, column)) == 2
        assert segments(table, column)[-1] == 0
    assert not index.merge(table)


def test_keys_are_indexed_once_enough_rows_are_not(table, monkeypatch):
    monkeypatch.setattr(index, "_UNKEYED", 1_201)
    index.index_keys(table)
    assert segments(table, "id") is None
    write(table, ["new"])
    index.index_keys(table)
    assert segments(table, "id") == segments(table, "text_hash") == [1_201, 0]
    write(table, ["newer"])
    index.index_keys(table)
    assert segments(table, "id") == [1_201, 1]
    assert segments(table, tables.VECTOR) is None


def test_a_process_of_its_own_makes_the_same_index(table, monkeypatch):
    monkeypatch.setattr(making, "APART", 1_200)
    made = processes(monkeypatch)
    assert index.index(table, FROM)
    assert made == ["keys", "vectors"]
    apart = recall.probes(tables.open_table(table))
    assert (apart.recall, apart.recall_filtered) == (1.0, 1.0)
    for column in ("id", "text_hash", tables.VECTOR):
        assert segments(table, column) == [1_200, 0]
    assert found(table, QUERY, 1_200) == exact(table, QUERY, 1_200)
    monkeypatch.setattr(making, "APART", 1_201)
    making.make(table)
    here = recall.probes(tables.open_table(table))
    assert object_of(here) == object_of(apart) | {"index": here.index}


def test_a_small_change_needs_no_process_of_its_own(table, monkeypatch):
    index.index(table, FROM)
    monkeypatch.setattr(making, "APART", 100)
    made = processes(monkeypatch)
    write(table, names(99, 1_200))
    index.index(table, FROM)
    write(table, names(100, 1_299))
    index.index(table, FROM)
    assert made == ["keys"]
    assert segments(table, "id")[-1] == segments(table, tables.VECTOR)[-1] == 0


def test_partitions_grow_with_the_rows_and_from_a_million_on_with_their_root(table, monkeypatch):
    assert making.partitions(1_000_000) is None
    assert making.partitions(4_000_000) == 250
    assert making.partitions(100_000_000) == 1_250
    monkeypatch.setattr(making, "partitions", lambda rows: rows // 300)
    index.index(table, FROM)
    assert recall.probes(tables.open_table(table)).partitions == 4


def test_what_goes_wrong_in_a_process_of_its_own_is_said_in_a_line(table, monkeypatch):
    monkeypatch.setattr(making, "APART", 1)
    tables.open_table(table).drop_columns([tables.VECTOR])
    with pytest.raises(RuntimeError, match=r"t\.lance: its index could not be made: .*vector"):
        making.make(table)


def test_a_process_of_its_own_ends_with_the_one_that_started_it(table):
    before = tables.version(table)
    command = [sys.executable, "-m", making.__name__, "vectors", str(table)]
    assert subprocess.run(command, stdin=subprocess.DEVNULL).returncode == 1
    assert tables.version(table) == before
