"""Indices: extended by what is new, merged by upkeep, and searched as far as was measured."""

import json
import subprocess
import sys

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.core.store import arrow, index, maintenance, making, recall, tables
from tasks.core.store.searcher import Searcher
from tasks.core.workspace.manifest import object_of

FROM = 1_000
SIZE = 8


def rows(names, seed=0):
    """Return a table of ids with random unit vectors, which lie in no clusters."""
    rng = np.random.default_rng([seed, len(names)])
    vectors = rng.standard_normal((len(names), SIZE)).astype(np.float32)
    frame = pl.DataFrame(
        {
            "id": pl.Series(names, dtype=pl.String),
            "text_hash": [f"t-{name}" for name in names],
            "kind": pl.Series([n % 200 for n in range(len(names))], dtype=pl.Int64),
        }
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return arrow.assemble(frame, {tables.VECTOR: arrow.vector_array(vectors, "float32")})


def write(path, names, *, fresh=False, retired=(), seed=0):
    made = rows(names, seed)
    fragments = tables.write_fragments(path, made, {}, fresh=fresh)
    if fresh:
        return tables.commit_whole(path, made.schema, {}, fragments)
    return tables.commit_changes(path, list(retired), fragments)


def names(many, start=0):
    return [f"n{n:05}" for n in range(start, start + many)]


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "t.lance"
    write(path, names(1_200), fresh=True)
    return path


def segments(path, column):
    dataset = tables.open_table(path)
    made = index._of(dataset, column)
    return None if made is None else index._rows(dataset, made)


def exact(path, query, k, where=None):
    found = tables.open_table(path).to_table(
        columns=["id"], nearest=recall.nearest(None, query, k, None), filter=where, prefilter=True
    )
    return found["id"].to_pylist()


def found(path, query, k, where=None):
    return [hit.row["id"] for hit in Searcher(path, live=False).nearest(query, k, where, ["id"])]


def size(path):
    return {file: file.stat().st_size for file in path.rglob("*") if file.is_file()}


QUERY = np.arange(1, SIZE + 1, dtype=np.float32)


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


class Partitions:
    """Says how many partitions each search asked for."""

    def __init__(self, monkeypatch):
        self.asked, real = [], recall.nearest

        def near(dataset, queries, k, nprobes):
            self.asked.append(nprobes)
            return real(dataset, queries, k, nprobes)

        monkeypatch.setattr(recall, "nearest", near)


@pytest.fixture
def scattered(tmp_path):
    """A table in many small partitions, so that few of them miss neighbours."""
    path = tmp_path / "t.lance"
    write(path, names(12_000), fresh=True)
    dataset = tables.open_table(path)
    dataset.create_index(tables.VECTOR, "IVF_FLAT", metric="cosine", num_partitions=200)
    return path


def test_what_is_measured_is_the_least_of_the_doublings_that_is_enough(scattered):
    note = recall.measure(scattered)
    dataset = tables.open_table(scattered)
    assert recall.probes(dataset) == note
    assert note.partitions == 200
    queries = arrow.vectors_of(dataset.take(range(0, 12_000, 120), columns=["vector"])["vector"])

    def share(nprobes, where=None):
        got = [
            {
                row["id"]
                for row in dataset.to_table(
                    columns=["id"],
                    nearest=recall.nearest(dataset, query, 11, looked_at),
                    filter=where,
                    prefilter=True,
                ).to_pylist()
            }
            for looked_at in (None, nprobes)
            for query in queries
        ]
        half = len(queries)
        return np.mean([len(a & b) / len(a) for a, b in zip(got[:half], got[half:], strict=True)])

    assert 10 < note.nprobes < 200
    assert share(note.nprobes) >= recall.ENOUGH - 0.01 > share(note.nprobes // 4)
    assert note.nprobes <= note.nprobes_filtered <= 200
    assert min(note.recall, note.recall_filtered) >= recall.ENOUGH
    assert share(note.nprobes_filtered, "_rowid % 100 = 1") >= recall.ENOUGH - 0.01


def test_a_search_looks_at_as_much_as_was_noted_and_at_all_behind_a_narrow_filter(
    scattered, monkeypatch
):
    note = recall.measure(scattered)
    searcher, seen = Searcher(scattered, live=False), Partitions(monkeypatch)
    for where in (None, "kind < 100", "kind = 7"):  # all rows, half of them, 60: fewer than 120
        searcher.nearest(QUERY, 10, where, ["id"])
    assert seen.asked == [note.nprobes, note.nprobes_filtered, note.partitions]
    rare = [hit.row["id"] for hit in searcher.nearest(QUERY, 10, "kind = 7", ["id"])]
    assert rare == exact(scattered, QUERY, 10, "kind = 7")


def test_an_index_that_nobody_measured_is_searched_by_its_partitions(scattered, monkeypatch):
    searcher, seen = Searcher(scattered, live=False), Partitions(monkeypatch)
    before = tables.version(scattered)
    for where in (None, "kind < 100"):
        searcher.nearest(QUERY, 10, where, ["id"])
    assert seen.asked == [67, 200]
    assert tables.version(scattered) == before
    assert not recall.measured(tables.open_table(scattered))


def test_what_was_measured_of_a_version_comes_back_with_it(table):
    index.index(table, FROM)
    tables.publish(table, tables.version(table))
    noted = recall.probes(tables.open_table(table))
    write(table, names(1_500), fresh=True, seed=3)  # of another transform: no index yet
    assert recall.probes(tables.open_table(table)) is None
    index.index(table, FROM)
    assert recall.probes(tables.open_table(table)).index != noted.index
    tables.rewind(table)
    assert recall.probes(tables.open_table(table)) == noted


def test_texts_that_are_there_twice_and_a_column_of_any_name_are_measured_alike(tmp_path):
    path = tmp_path / "t.lance"
    made = rows(names(1_200))
    made = made.take(pa.array([n // 12 * 12 for n in range(1_200)]))  # twelve of each
    made = made.append_column("query_index", pa.array(range(1_200)))
    fragments = tables.write_fragments(path, made, {}, fresh=True)
    tables.commit_whole(path, made.schema, {}, fragments)
    index.index(path, FROM)
    note = recall.probes(tables.open_table(path))
    assert (note.recall, note.recall_filtered) == (1.0, 1.0)


@pytest.mark.parametrize("damage", ["", "{", "7", "[1]", '"note"', '{"index": 7}', "[" * 100_000])
def test_a_damaged_note_counts_as_none(scattered, damage):
    unmeasured = recall.probes(tables.open_table(scattered))
    recall.measure(scattered)
    tables.open_table(scattered).update_config({recall._NOTE: damage})
    assert recall.probes(tables.open_table(scattered)) == unmeasured
    assert len(found(scattered, QUERY, 10)) == 10


@pytest.mark.parametrize(
    "wrong", [{"nprobes": 0}, {"nprobes_filtered": -1}, {"partitions": 2**70, "nprobes": 2**70}]
)
def test_numbers_that_no_index_has_count_as_none(scattered, wrong):
    unmeasured = recall.probes(tables.open_table(scattered))
    noted = object_of(recall.measure(scattered)) | wrong
    tables.open_table(scattered).update_config({recall._NOTE: json.dumps(noted)})
    assert recall.probes(tables.open_table(scattered)) == unmeasured


def test_a_process_of_its_own_makes_the_same_index(table, monkeypatch):
    monkeypatch.setattr(making, "APART", 1_200)
    assert index.index(table, FROM)
    apart = recall.probes(tables.open_table(table))
    assert (apart.recall, apart.recall_filtered) == (1.0, 1.0)
    assert segments(table, tables.VECTOR) == [1_200, 0]
    assert found(table, QUERY, 1_200) == exact(table, QUERY, 1_200)
    monkeypatch.setattr(making, "APART", 1_201)
    making.make(table)
    here = recall.probes(tables.open_table(table))
    assert object_of(here) == object_of(apart) | {"index": here.index}


def test_what_goes_wrong_in_a_process_of_its_own_is_said_in_a_line(table, monkeypatch):
    monkeypatch.setattr(making, "APART", 1)
    tables.open_table(table).drop_columns([tables.VECTOR])
    with pytest.raises(RuntimeError, match=r"t\.lance: its index could not be made: .*vector"):
        making.make(table)


def test_a_process_of_its_own_ends_with_the_one_that_started_it(table):
    before = tables.version(table)
    command = [sys.executable, "-m", making.__name__, str(table)]
    assert subprocess.run(command, stdin=subprocess.DEVNULL).returncode == 1
    assert tables.version(table) == before
