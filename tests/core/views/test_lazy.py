"""A view that stores no row answers as one that does."""

import numpy as np
import pytest

from tasks.core.numerics.rows import unit_rows
from tasks.core.store import tables
from tasks.core.store.searcher import Searcher
from tasks.core.views import browsing, lazy_search, publishing
from tasks.core.views.export import frame
from tasks.core.views.search import Space
from tasks.core.views.together import closest_by_all, similar_by_all
from tasks.core.views.transforming import reader_of
from tasks.core.views.view_rows import ViewPlace, view_rows
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifests import LAZY
from tests.asked import Given
from tests.core.views.small_world import OneVector, World, write_base


class TwoViews:
    """One transform of a base table, as a full view and as a lazy one.

    light: the full one is made by numpy as searches make the other; else by torch, as frames do.
    """

    def __init__(self, root, light=True):
        self.full, self.kept = World(root), root / "kept"
        self.base, self.table = self.full.base, root / "lazy.lance"
        publishing.keep_transform(self.kept, self.full.folder, "transform-1")
        self.full.transform = reader_of(self.full.folder, light=light)
        self.full.materialise()
        self.publish()

    def publish(self):
        about = publishing.describe(self.full.folder, "float32", mode=LAZY)
        return publishing.publish_lazy(self.table, about)

    def spaces(self):
        kept = self.kept
        for table in (self.full.view, self.table):
            yield Space(self.base, table, lambda name: kept / name, Given(OneVector), None)

    def frames(self):
        for table in (self.full.view, self.table):
            yield frame(view_rows(ViewPlace(self.base, table, self.kept))).sort("id")


@pytest.fixture
def views(tmp_path):
    return TwoViews(tmp_path)


def assert_same_hits(found, expected):
    assert [hit.id for hit in found] == [hit.id for hit in expected]
    for one, other in zip(found, expected, strict=True):
        for name in ("score", "confidence", "novelty"):
            assert getattr(one, name) == pytest.approx(getattr(other, name), abs=1e-6)
        assert (one.text, one.label, one.metadata) == (other.text, other.label, other.metadata)


FILTERS = (
    None,
    "channel = 'chat'",
    "label = 'angry'",
    "confidence > 0.6 AND channel = 'email' OR novelty > 0.9",
    "id < 'n05'",
    "label = 'nobody'",
)


@pytest.mark.parametrize("where", FILTERS)
@pytest.mark.parametrize("distinct", [False, True])
def test_a_lazy_view_finds_what_a_full_one_finds(views, where, distinct):
    full, lazy = views.spaces()
    for k in (1, 5, 50):
        expected = full.search("x", k, where, distinct=distinct)
        assert_same_hits(lazy.search("x", k, where, distinct=distinct), expected)
        expected = full.similar("n07", k, where, distinct=distinct)
        assert_same_hits(lazy.similar("n07", k, where, distinct=distinct), expected)


@pytest.mark.parametrize("where", FILTERS)
def test_candidates_that_are_all_rows_find_the_same(views, where, monkeypatch):
    monkeypatch.setattr(lazy_search, "EXACT", 0)
    full, lazy = views.spaces()
    assert_same_hits(lazy.search("x", 2, where), full.search("x", 2, where))


@pytest.fixture
def few(monkeypatch):
    """Three candidates, and no corpus small enough to be ranked whole."""
    for name, value in (("EXACT", 0), ("CANDIDATES", 3), ("A_HIT", 1)):
        monkeypatch.setattr(lazy_search, name, value)


def test_of_many_rows_the_nearest_in_the_base_table_are_ranked_by_the_view(views, few):
    full, lazy = views.spaces()
    base = Space(views.base, None, None, Given(OneVector), None)
    nearest = {hit.id for hit in base.search("x", 3)}
    expected = [hit for hit in full.search("x", 30) if hit.id in nearest]
    assert_same_hits(lazy.search("x", 3), expected)
    assert_same_hits(lazy.search("x", 1), expected[:1])


@pytest.mark.parametrize("where", ["id < 'n03'", "label = 'angry'", "label = 'glad'"])
def test_a_filter_that_leaves_few_candidates_passes_over_nothing(views, few, where):
    full, lazy = views.spaces()
    expected = full.search("x", 30, where)
    assert expected
    assert_same_hits(lazy.search("x", 30, where), expected)


@pytest.mark.parametrize("where", ["label = 'nobody'", "id < 'n03'", None])
def test_no_more_candidates_are_held_than_memory_is_meant_for(views, few, monkeypatch, where):
    monkeypatch.setattr(lazy_search, "HELD", 5)
    asked, candidates = [], Searcher.candidates

    def noted(self, vector, k, *more):
        asked.append(k)
        return candidates(self, vector, k, *more)

    monkeypatch.setattr(Searcher, "candidates", noted)
    full, lazy = views.spaces()
    assert_same_hits(lazy.search("x", 8, where), full.search("x", 8, where))
    assert asked == [5]


def test_a_filter_is_refused_as_a_full_view_refuses_it(views):
    failing = "CAST(channel AS bigint) = 1"
    for where in ("text = 'a'", "label = 3", "vector = 1", "channel", failing):
        said = []
        for space in views.spaces():
            with pytest.raises(InputError) as refused:
                space.search("x", 3, where)
            said.append(str(refused.value))
        assert said[0] == said[1]


def told(ask, *more):
    with pytest.raises(InputError) as refused:
        ask(*more)
    return str(refused.value)


@pytest.mark.parametrize("where", ["CAST(channel AS bigint) = 1", "CAST(label AS bigint) = 1"])
def test_what_fails_among_the_rows_is_told_as_of_a_full_view(views, where):
    full, lazy = (space.now() for space in views.spaces())
    for ask in (browsing.page, browsing.facets):
        assert told(ask, lazy, where) == told(ask, full, where)
    names = ["id", "label"]
    assert told(lazy.rows.rows_of, ["n03"], names, where) == told(
        full.rows.rows_of, ["n03"], names, where
    )


def test_rows_are_not_made_of_base_vectors_of_another_encoder(views):
    write_base(views.base, views.full.names, about={"fingerprint": "another"})
    place = ViewPlace(views.base, views.table, views.kept)
    with pytest.raises(InputError, match="another encoder"):
        view_rows(place)


def test_its_rows_are_those_that_a_full_view_stores_and_its_table_holds_none(tmp_path):
    views = TwoViews(tmp_path, light=False)
    full, lazy = views.frames()
    assert lazy.columns == full.columns
    assert lazy.select("id", "channel", "label").equals(full.select("id", "channel", "label"))
    for name in ("vector", "confidence", "novelty"):
        np.testing.assert_allclose(lazy[name].to_numpy(), full[name].to_numpy(), atol=1e-6)
    assert tables.count(views.table, tables.live_version(views.table)) == 0
    rows = view_rows(ViewPlace(views.base, views.table, views.kept))
    wanted = rows.with_ids(["n03", "n17", "nobody"], ["id", "label"]).sort("id")
    assert wanted.equals(full.filter(full["id"].is_in(["n03", "n17"])).select("id", "label"))
    assert rows.with_ids([], ["label", "id"]).columns == ["label", "id"]


def test_rows_that_arrive_are_found_at_once_and_nothing_is_written(views):
    _, lazy = views.spaces()
    version = tables.version(views.table)
    assert len(lazy.search("x", 50)) == 30
    write_base(views.base, [*views.full.names, "new"])
    assert "new" in {hit.id for hit in lazy.search("x", 50)}
    assert lazy.similar("new", 3)
    assert views.publish() == version
    assert tables.version(views.table) == version


def test_an_id_is_told_from_its_beginning_and_an_unknown_one_is_refused(views):
    full, lazy = views.spaces()
    assert_same_hits(lazy.similar("n00", 3), full.similar("n00", 3))
    for key in ("n0", "other"):
        for space in (full, lazy):
            with pytest.raises(InputError, match=f"id '{key}'"):
                space.similar(key, 3)


@pytest.mark.parametrize("where", [None, "channel = 'chat'", "confidence > 0.6"])
def test_it_is_paged_and_counted_as_a_full_one(views, where, monkeypatch):
    for exact in (20_000, 0):
        monkeypatch.setattr(lazy_search, "EXACT", exact)
        full, lazy = (space.now() for space in views.spaces())
        assert browsing.facets(lazy, where) == browsing.facets(full, where)
        for label, sort in ((None, "id"), ("angry", "-confidence"), (None, "novelty")):
            mine, theirs = (
                browsing.page(now, where, label, sort, limit=7, offset=2) for now in (lazy, full)
            )
            assert mine.total == theirs.total
            assert [row["id"] for row in mine.rows] == [row["id"] for row in theirs.rows]
            assert [row["label"] for row in mine.rows] == [row["label"] for row in theirs.rows]


def test_for_facets_behind_what_the_view_says_rows_are_made_for_labels_and_filter_alone(
    views, monkeypatch
):
    monkeypatch.setattr(lazy_search, "EXACT", 0)
    made, transformed = [], lazy_search.transformed

    def noted(*words):
        made.append(words)
        return transformed(*words)

    monkeypatch.setattr(lazy_search, "transformed", noted)
    full, lazy = (space.now() for space in views.spaces())
    for where in ("confidence > 0.6", "confidence > 0.5"):
        made.clear()
        assert browsing.facets(lazy, where) == browsing.facets(full, where)
        assert len(made) == 2
    assert lazy.rows.count("label = 'nobody'") == 0


def test_several_views_of_which_some_are_lazy_are_searched_as_one(views):
    full, lazy = views.spaces()
    expected = closest_by_all([(full, 1.0), (full, 2.0)], "x", 5, "channel = 'chat'").hits
    for spaces in ([(full, 1.0), (lazy, 2.0)], [(lazy, 1.0), (lazy, 2.0)]):
        assert_same_hits(closest_by_all(spaces, "x", 5, "channel = 'chat'").hits, expected)


def test_texts_are_in_a_lazy_view_where_views_hold_them(views, monkeypatch):
    about = publishing.describe(views.full.folder, "float32", text=True, mode=LAZY)
    publishing.publish_lazy(views.table, about)
    _, lazy = views.spaces()
    for exact in (20_000, 0):
        monkeypatch.setattr(lazy_search, "EXACT", exact)
        assert [hit.id for hit in lazy.search("x", 3, "text = 'n03'")] == ["n03"]
    _, rows = views.frames()
    assert rows["text"].equals(rows["id"].rename("text"))


@pytest.mark.parametrize("rows", [lazy_search.EXACT, 5])  # all of them held; candidates
@pytest.mark.parametrize("where", [None, "channel = 'chat'"])
def test_towards_a_label_of_a_lazy_view_is_as_towards_that_of_a_full_one(
    views, rows, where, monkeypatch
):
    """And those with the greatest mean of both cosines are found, by every row compared."""
    monkeypatch.setattr(lazy_search, "EXACT", rows)
    full, lazy = views.spaces()
    base = Space(views.base, None, None, Given(OneVector), None)
    seen = full.now()
    ids = views.full.names
    units = {
        name: unit_rows(np.stack([space.now().rows.vector_of(each) for each in ids]))
        for name, space in (("base", base), ("view", full))
    }
    wanted = (units["base"] @ units["base"][7] + units["view"] @ full.place(seen, "glad")) / 2
    chat = [each in seen.rows.rows_of(ids, ["id"], where) for each in ids]
    order = [ids[at] for at in np.argsort(-wanted) if chat[at] and at != 7]
    for space in (full, lazy):
        hits = similar_by_all([(base, 1.0)], "n07", 30, where, towards=[(space, "glad")]).hits
        assert [hit.id for hit in hits] == order
        for hit in hits:
            assert hit.score == pytest.approx(wanted[ids.index(hit.id)], abs=1e-5)
        with pytest.raises(InputError, match="'sad': the view tells no such label apart"):
            similar_by_all([(base, 1.0)], "n07", towards=[(space, "sad")], k=3)
