"""Pages and facets of a table."""

import numpy as np
import polars as pl
import pytest

from tasks.core.atlas import order
from tasks.core.atlas.rows import rows_of
from tasks.core.store import arrow, tables
from tasks.core.store.searcher import Searcher
from tasks.core.views import browsing
from tasks.core.views.browsing import Range, Values
from tasks.core.views.snapshot import Snapshot
from tasks.core.workspace.errors import InputError, MissingError

MANY = 500


@pytest.fixture
def now(tmp_path):
    """A table whose ids come in no order, with columns of few values, of many, and of none."""
    rng = np.random.default_rng(3)
    ids = [f"n{n:03}" for n in rng.permutation(MANY)]
    frame = pl.DataFrame(
        {
            "id": ids,
            "text": [f"text of {key}" for key in ids],
            "text_hash": ids,
            "row_hash": ids,
            "few": [("a", "b", None)[n % 3] for n in range(MANY)],
            "many": [f"v{int(n)}" for n in np.sqrt(rng.integers(0, 10_000, MANY))],
            "yes": [n % 4 == 0 for n in range(MANY)],
            "number": [None if n % 7 == 0 else n / 2 for n in range(MANY)],
            "nothing": pl.Series([None] * MANY, dtype=pl.Float64),
            "beyond": [float("inf") if n == 5 else float(n) for n in range(MANY)],
            "odd": [float("nan") if n < 300 else float(n) for n in range(MANY)],
        }
    )
    vectors = rng.standard_normal((MANY, 6)).astype(np.float32)
    table = tmp_path / "t.lance"
    made = arrow.assemble(frame, {tables.VECTOR: arrow.vector_array(vectors, "float16")})
    tables.commit_whole(table, made.schema, {}, tables.write_fragments(table, made, {}, fresh=True))
    rows = Searcher(table, live=False)
    return frame, Snapshot(rows, rows, rows, None)


def test_a_column_of_many_values_tells_the_commonest_and_counts_the_others(now):
    frame, now = now
    found = browsing.facets(now).columns
    counts = frame["many"].value_counts().sort(["count", "many"], descending=[True, False])
    told = found["many"]
    assert isinstance(told, Values) and len(told.values) == 20
    assert list(told.values.values()) == counts["count"].head(20).to_list()
    assert all(counts.filter(many=value)["count"].item() == n for value, n in told.values.items())
    assert told.others == MANY - sum(told.values.values())
    few = frame["few"].drop_nulls().value_counts()
    assert found["few"] == Values(dict(few.rows()), 0)
    assert found["yes"] == Values({"false": 375, "true": 125}, 0)


def test_a_column_of_numbers_tells_its_range(now):
    found = browsing.facets(now[1], "id < 'n300'").columns
    rows = now[0].filter(pl.col("id") < "n300")
    assert found["number"] == Range(rows["number"].min(), rows["number"].max())
    assert found["nothing"] == Range(None, None)
    assert browsing.facets(now[1]).columns["odd"] == Range(300.0, 499.0)
    assert browsing.facets(now[1]).columns["beyond"] == Range(0.0, None)  # JSON has no infinity


def test_pages_are_cut_from_one_order(now):
    frame, now = now
    rows = [
        row for at in range(0, 600, 100) for row in browsing.page(now, limit=100, offset=at).rows
    ]
    assert [row["id"] for row in rows] == sorted(frame["id"])
    assert rows[3]["text"] == "text of n003"
    found = browsing.page(now, "few = 'a'", limit=1)
    assert found.total == frame.filter(few="a").height and len(found.rows) == 1
    with pytest.raises(InputError, match="in a view alone"):
        browsing.page(now, sort="-novelty")
    with pytest.raises(MissingError, match="expected an id"):
        now.texts_of(["n001", "n5"])


def test_of_more_rows_than_are_told_those_with_the_least_hashes_have_a_place(now):
    frame, now = now
    some = order.order_of(now.rows, 50)
    told, places = some.places(pl.Series(sorted(frame["id"])).to_arrow())
    hashes = arrow.hash64(pl.Series(sorted(frame["id"])))
    assert told.sum() == 50 and set(hashes[told]) == set(np.sort(hashes)[:50])
    assert places.tolist() == list(range(50))
    assert (len(some), some.total) == (50, MANY)
    assert len(order.column(now.rows, some, "many")) == 50
    matching = order.matching(now.rows, some, "few = 'a'", None)
    ids = pl.Series(sorted(frame["id"])).filter(pl.Series(told)).to_list()
    wanted = set(frame.filter(few="a")["id"])
    assert [ids[at] for at in matching] == [key for key in ids if key in wanted]


def test_points_and_what_belongs_to_them_are_in_one_order(now):
    _, now = now
    for most in (50, MANY):
        points = rows_of(now.rows.table, now.rows.version, most)
        assert order.order_of(now.rows, most).corpus == points.corpus


def test_the_same_ids_are_known_whatever_their_order_in_the_table(now, tmp_path):
    frame, now = now
    again = tmp_path / "again.lance"
    rows = frame.sort("id").select("id", "few").to_arrow(compat_level=pl.CompatLevel.oldest())
    for part, table in ((rows, again), (rows.slice(1), tmp_path / "less.lance")):
        made = tables.write_fragments(table, part, {}, fresh=True)
        tables.commit_whole(table, part.schema, {}, made)
    state = order.ids_state(now.rows)
    assert order.ids_state(Searcher(again, live=False)) == state
    assert order.ids_state(Searcher(tmp_path / "less.lance", live=False)) != state
