"""What is found, listed and counted, as the command line and the tables have it."""

import json
from collections import Counter

import polars as pl
import pyarrow as pa
import pytest

from flows.queries.workspace import Workspace
from tests.commands import refract

QUERY = "i am furious, where is my parcel"


def command(root, *words):
    return json.loads(refract(root, *words, "--json").out)


def frame(served, name="mood"):
    return Workspace(served.root).view(name).frame()


def table(reply):
    assert reply.headers["content-type"] == "application/vnd.apache.arrow.stream", reply.body
    return pa.ipc.open_stream(reply.body).read_all()


@pytest.mark.parametrize("name", ["base", "mood"])
@pytest.mark.parametrize(
    "more", [{}, {"k": 3}, {"where": "channel = 'email'"}, {"distinct": True, "k": 20}]
)
def test_a_search_finds_what_the_command_finds(explored, apart, name, more):
    words = [w for key, value in more.items() for w in _option(key, value)]
    expected = command(apart, "search", QUERY, "--view", name, *words)
    found = explored.get(f"/views/{name}/search", q=QUERY, **more).json
    assert found["hits"] == expected and found["view"] == name
    assert (found["transform"] is None) == (name == "base")


def _option(key, value):
    if key == "distinct":
        return ["--distinct"]
    return ["-k", str(value)] if key == "k" else ["--where", value]


@pytest.mark.parametrize("name", ["base", "topic"])
def test_neighbours_are_those_of_the_command(explored, apart, name):
    expected = command(apart, "similar", "t07", "--view", name, "-k", "4")
    assert explored.get(f"/views/{name}/similar/t07", k=4).json["hits"] == expected


def test_several_views_give_one_ranking_by_all_of_them(explored):
    both = explored.get("/views/topic/search", q=QUERY, view="mood:3", k=72).json["hits"]
    one = {hit["id"]: hit for hit in _all(explored, "topic")}
    other = {hit["id"]: hit for hit in _all(explored, "mood")}
    wanted = {key: (one[key]["score"] + 3 * other[key]["score"]) / 4 for key in one}
    assert {hit["id"] for hit in both} == wanted.keys()
    for hit in both:
        assert hit["score"] == pytest.approx(wanted[hit["id"]], abs=2e-3)  # vectors are rounded
        assert hit["label"] == one[hit["id"]]["label"]
    assert [hit["score"] for hit in both] == sorted((hit["score"] for hit in both), reverse=True)
    few = explored.get("/views/topic/search", q=QUERY, view="mood:3", k=5).json["hits"]
    assert few == both[:5]


def test_neighbours_towards_a_label_are_those_of_the_command(explored, apart):
    words = ("--keep", "topic", "--keep", "base", "--with", "mood=glad", "-k", "7")
    expected = command(apart, "similar", "t07", *words)
    more = {"view": "base", "with": "mood:glad", "k": 7}
    assert explored.get("/views/topic/similar/t07", **more).json["hits"] == expected


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"with": "mood"}, "found no label"),
        ({"with": "mood:sad"}, "tells no such label apart"),
        ({"with": "topic:refund"}, "expected each view once"),
        ({"with": ["mood:glad", "mood:angry"]}, "expected each view once"),
        ({"with": "base:x"}, "tell no labels apart"),
        ({"with": "nope:x"}, "there is none"),
        ({"with": [f"v{n}:x" for n in range(16)]}, "at most 16"),
        ({"view": "mood:0"}, "expected a number above 0"),
    ],
)
def test_what_neighbours_cannot_go_towards_is_refused_in_one_line(explored, more, said):
    reply = explored.get("/views/topic/similar/t07", **more)
    assert reply.status in (400, 404)
    assert said in reply.detail and "\n" not in reply.detail


def _all(served, name):
    return served.get(f"/views/{name}/search", q=QUERY, k=72).json["hits"]


def test_a_filter_by_a_label_that_the_view_has_not_is_remarked_upon(explored):
    for path in ("search?q=late", "similar/t07?k=3"):
        slip = explored.get(f"/views/topic/{path}&where=label='refnd'").json
        assert slip["hits"] == []
        assert slip["remark"].startswith("topic has no label 'refnd'; it has 'account', 'delivery'")
        assert slip["remark"].endswith("(did you mean 'refund'?)")
        assert "remark" not in explored.get(f"/views/topic/{path}&where=label='refund'").json


def test_a_filter_of_several_views_reads_what_the_first_one_says(explored):
    where = "label = 'refund' AND channel = 'email'"
    found = explored.get("/views/topic/search", q=QUERY, view="mood", where=where, k=72).json[
        "hits"
    ]
    rows = frame(explored, "topic").filter(label="refund", channel="email")
    assert {hit["id"] for hit in found} == set(rows["id"])


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"view": "mood:x"}, "expected a number above 0"),
        ({"view": "mood:-1"}, "expected a number above 0"),
        ({"view": "mood:nan"}, "expected a number above 0"),
        ({"view": ["mood", "mood:2"]}, "expected each view once"),
        ({"view": "nope"}, "there is none"),
        ({"view": [f"v{n}" for n in range(16)]}, "at most 15"),
        ({"where": "1 = 1; DROP TABLE x"}, "--where"),
        ({"where": "nope = 1"}, "columns are"),
        ({"where": "label"}, "expected something true or false"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(explored, more, said):
    reply = explored.get("/views/topic/search", **({"q": QUERY} | more))
    assert reply.status in (400, 404)
    assert said in reply.detail and "\n" not in reply.detail


def test_a_blank_query_is_refused(explored):
    for blank in ("", " \t", "\u2003"):
        assert explored.get("/views/mood/search", q=blank).status in (400, 422)


@pytest.mark.parametrize("k", ["0", "10001", "x", "1e3", ""])
def test_a_number_of_texts_beyond_what_is_allowed_is_refused(explored, k):
    assert explored.get("/views/mood/search", q=QUERY, k=k).status == 422


@pytest.mark.parametrize("key", ["nope", "t", "a/b/c", "%00", "..%2f..", "😀", "x" * 2_000])
def test_an_id_that_is_not_there_is_no_neighbour(explored, key):
    reply = explored.get(f"/views/mood/similar/{_quoted(key)}")
    assert reply.status == (400 if key == "t" else 404)
    assert "expected" in reply.detail


def _quoted(key):
    from urllib.parse import quote

    return key if "%" in key else quote(key)


def test_texts_come_in_the_order_that_they_were_asked_in(explored):
    found = explored.get("/views/mood/texts", id=["t40", "t03", "t40"]).json["texts"]
    assert [each["id"] for each in found] == ["t40", "t03", "t40"]
    rows = {row["id"]: row for row in frame(explored).drop("vector").to_dicts()}
    assert found[1] == pytest.approx(rows["t03"])
    assert "score" not in found[0]
    assert explored.get("/views/mood/texts", id=["t40", "no"]).status == 404
    assert explored.get("/views/mood/texts").status == 422
    assert explored.get("/views/base/texts", id="t40").json["texts"][0].keys() == {
        *("id", "text", "source", "channel", "stars")
    }


@pytest.mark.parametrize("sort", ["id", "confidence", "-confidence", "novelty", "-novelty"])
def test_rows_come_page_by_page_in_their_order(explored, sort):
    by, down = sort.removeprefix("-"), sort.startswith("-")
    rows = frame(explored).filter(label="angry").sort(by, "id", descending=[down, False])
    pages = [
        explored.get("/views/mood/rows", label="angry", sort=sort, limit=15, offset=at).json
        for at in (0, 15, 30, 45)
    ]
    assert {page["total"] for page in pages} == {len(rows)}
    assert [row["id"] for page in pages for row in page["rows"]] == rows["id"].to_list()


def test_rows_of_the_generic_space_have_no_labels(explored):
    assert explored.get("/views/base/rows").json["total"] == 72
    for more in ({"label": "angry"}, {"sort": "confidence"}):
        assert "expected an instruction's" in explored.get("/views/base/rows", **more).detail
    assert explored.get("/views/mood/rows", sort="text").status == 422
    assert explored.get("/views/mood/rows", where="false").json == {"total": 0, "rows": []}


def test_facets_count_what_matches(explored):
    found = explored.get("/views/mood/facets", where="stars >= 2").json
    rows = frame(explored).filter(pl.col("stars") >= 2)
    assert found["total"] == len(rows)
    assert found["labels"] == Counter(rows["label"])
    assert found["columns"]["channel"] == {
        "kind": "values",
        "values": Counter(rows["channel"]),
        "others": 0,
    }
    assert found["columns"]["stars"] == {"kind": "range", "min": 2, "max": 4}
    assert explored.get("/views/mood/facets", column="stars").json["columns"].keys() == {"stars"}
    assert "channel, stars" in explored.get("/views/mood/facets", column="vector").detail
    assert explored.get("/views/base/facets").json["labels"] == {}


def test_places_and_columns_are_in_the_order_of_the_ids(explored):
    rows = frame(explored).sort("id")
    stars = table(explored.get("/views/mood/column/stars"))
    assert stars.column("stars").to_pylist() == rows["stars"].to_list()
    channel = table(explored.get("/views/topic/column/channel"))
    assert pa.types.is_dictionary(channel.column("channel").type)
    assert channel.column("channel").to_pylist() == rows["channel"].to_list()
    assert channel.schema.metadata[b"corpus"] == stars.schema.metadata[b"corpus"]
    found = table(explored.get("/views/mood/matching", label="glad", where="stars = 1"))
    both = (pl.col("label") == "glad") & (pl.col("stars") == 1)
    assert found.column("row").to_pylist() == rows.select(both.arg_true()).to_series().to_list()
    assert found.schema.field("row").type == pa.uint32()
    assert explored.get("/views/mood/column/vector").status == 404
    assert explored.get("/views/base/matching", label="glad").status == 400


def test_what_is_asked_of_no_view_or_by_another_method_is_refused(explored):
    for what in ("search?q=x", "similar/t01", "rows", "facets", "texts?id=t01", "matching"):
        assert explored.get(f"/views/nope/{what}").status == 404
        assert explored.get(f"/views/..%2f..%2fetc/{what}").status == 404
    headers = {"Authorization": f"Bearer {explored.token}", "Origin": explored.url}
    for path, allowed in (("rows", "GET"), ("labels", "GET, POST")):
        reply = explored.ask("DELETE", f"/views/mood/{path}", headers)
        assert (reply.status, reply.headers["allow"]) == (405, allowed)
