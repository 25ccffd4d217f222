"""What was measured of an index: noted with what a run makes, said by status, mended by upkeep."""

import json

import pytest

from flows.embed import embed
from flows.ingest import ingest
from flows.maintain import maintain
from flows.run import run
from flows.state import staleness
from flows.state.status import read_status
from tasks.core.settings.params import load_params
from tasks.core.store import index, making, recall, tables
from tasks.core.store.layout import LIVE
from tasks.core.workspace.manifest import object_of
from tasks.core.workspace.paths import Paths
from tests.world import documents, set_params, write_documents

COPIES = 14  # of 72 texts: 1,008, where a table gets an index from 1,000 rows on


def many(last="as it was"):
    rows = [
        {**row, "id": f"{row['id']}-{n}", "text": f"{row['text']} {row['id']} {n}"}
        for n in range(COPIES)
        for row in documents()
    ]
    rows[-1]["text"] = last
    return [*documents(), *rows]


@pytest.fixture
def indexed(made):
    """A workspace of tables that have an index, measured where it was made."""
    set_params(
        made,
        embed={"index_from": 1_000, "chunk": 2_000},
        materialise={"index_from": 1_000},
        maintain={"keep_days": 0, "fragments": 2},
    )
    write_documents(made, many())
    run(made)
    return made


def said(root):
    """Return the index of the base table and of a view as `status --json` says them."""
    paths = Paths(root)
    found = json.loads(json.dumps(read_status(paths, load_params(paths.params)).to_json()))
    return found["vectors"]["index"], found["instructions"]["mood"]["index"]


def noted(root):
    """Return the same as it is noted with the tables."""
    paths = Paths(root)
    base = recall.noted(paths.base_table)
    view = recall.noted(paths.view_table("mood"), LIVE)
    return object_of(base), object_of(view)


def test_status_says_what_was_measured_of_each_index(indexed):
    base, view = said(indexed)
    assert (base, view) == noted(indexed)
    for each in (base, view):
        assert 0 < each["nprobes"] <= each["nprobes_filtered"] <= each["partitions"]
        assert min(each["recall"], each["recall_filtered"]) >= recall.ENOUGH


def test_status_says_nothing_of_tables_without_an_index(made):
    assert said(made) == ({}, {})


def test_a_change_keeps_what_was_measured_and_upkeep_measures_anew(indexed):
    paths = Paths(indexed)
    before = said(indexed)
    write_documents(indexed, many(last="another text"))
    run(indexed)
    assert said(indexed) == before == noted(indexed)
    maintain(indexed)
    after = said(indexed)
    assert after == noted(indexed)
    for old, new in zip(before, after, strict=True):
        assert new["index"] != old["index"]
        assert new["recall"] >= recall.ENOUGH
    assert not staleness.anything(paths, load_params(paths.params))
    assert tables.count(paths.base_table) == 72 + 72 * COPIES


@pytest.fixture
def keyed(world, monkeypatch):
    """The numbers of rows that were taken into an index of keys at once, two chunks as they go."""
    monkeypatch.setattr(index, "_UNKEYED", 32)
    found, extend = [], making.extend_keys

    def noting(table):
        found.append(making.unkeyed(table))
        extend(table)

    monkeypatch.setattr(making, "extend_keys", noting)
    return found


def test_a_first_embedding_looks_nothing_up_and_a_later_one_as_it_goes(world, keyed):
    ingest(world)
    embed(world)
    assert keyed == []
    write_documents(world, [row | {"text": f"{row['text']}!"} for row in documents()])
    ingest(world)
    embed(world)
    assert keyed == [72, 32, 32]


def test_texts_that_repeat_are_looked_up_by_an_index(world, keyed):
    rows = documents()
    write_documents(world, [*rows, *(row | {"id": f"{row['id']}-again"} for row in rows)])
    ingest(world)
    assert embed(world).reused == 72
    assert keyed == [72, 32, 32]
