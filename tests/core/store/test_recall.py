"""How much of an index a search looks at: measured, noted with the table, and kept to."""

import json

import numpy as np
import pyarrow as pa
import pytest

from tasks.core.store import arrow, index, recall, tables
from tasks.core.store.searcher import Searcher
from tasks.core.workspace.manifest import object_of
from tests.random_rows import FROM, QUERY, exact, found, names, rows, write


class Partitions:
    """Says how many partitions each search asked for."""

    def __init__(self, monkeypatch):
        self.asked, real = [], recall.nearest

        def near(dataset, queries, k, nprobes, **how):
            self.asked.append(nprobes)
            return real(dataset, queries, k, nprobes, **how)

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
    some = note.nprobes_filtered
    assert seen.asked == [note.nprobes, some, some, note.partitions]
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


def test_what_was_measured_of_a_version_comes_back_with_it(tmp_path):
    table = tmp_path / "t.lance"
    write(table, names(1_200), fresh=True)
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


def test_rows_far_from_the_query_are_found_behind_a_filter_that_keeps_no_others(tmp_path):
    path = tmp_path / "t.lance"
    made = rows(names(12_000))
    likeness = arrow.vectors_of(made["vector"]) @ (QUERY / np.linalg.norm(QUERY))
    made = made.set_column(2, "kind", pa.array(likeness < -0.5))
    fragments = tables.write_fragments(path, made, {}, fresh=True)
    tables.commit_whole(path, made.schema, {}, fragments)
    dataset = tables.open_table(path)
    dataset.create_index(tables.VECTOR, "IVF_FLAT", metric="cosine", num_partitions=200)
    note = recall.measure(path)
    assert 120 < dataset.count_rows("kind") < 1_200  # more than a hundredth: not all partitions
    assert note.nprobes_filtered < 200
    searched, true = (set(ask(path, QUERY, 10, "kind")) for ask in (found, exact))
    assert len(searched) == 10
    assert len(searched & true) >= 9


def test_more_rows_are_found_than_the_partitions_hold_that_are_looked_at_first(scattered):
    note = recall.measure(scattered)
    assert note.nprobes < 200
    assert len(found(scattered, QUERY, 11_000)) == 11_000
