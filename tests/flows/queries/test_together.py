"""Several views as one, by the command line and from Python."""

import json

import pytest

from flows import Workspace
from tasks.core.workspace.errors import InputError
from tests.commands import refract, refused
from tests.world import documents

TRUTH = {row["id"]: (row["topic"], row["mood"]) for row in documents()}
QUERY = "i am furious, where is my parcel"


@pytest.fixture(scope="module")
def root(_pooled):
    """A workspace that these tests only read."""
    return _pooled


def found(root, *words):
    return json.loads(refract(root, *words, "--json").out)


def test_one_ranking_by_weights_is_the_mean_of_the_rankings(root):
    both = found(root, "search", QUERY, *("--view", "topic=0.5", "--view", "mood=1.5"), "-k", "72")
    one, other = (
        {hit["id"]: hit["score"] for hit in found(root, "search", QUERY, *view, "-k", "72")}
        for view in (("--view", "topic"), ("--view", "mood"))
    )
    assert len(both) == 72
    for hit in both:
        wanted = (0.5 * one[hit["id"]] + 1.5 * other[hit["id"]]) / 2
        assert hit["score"] == pytest.approx(wanted, abs=2e-3)  # vectors are rounded
    together = Workspace(root).together({"topic": 0.5, "mood": 1.5})
    assert together.hits(QUERY, 72) == both
    assert together.search(QUERY, 3)["id"].to_list() == [hit["id"] for hit in both[:3]]
    assert "topic=0.5, mood=1.5" in repr(together)


def test_views_without_weights_are_compared_as_ever(root):
    both = found(root, "search", QUERY, "--view", "topic", "--view", "mood")
    assert [each["view"] for each in both] == ["topic", "mood"]
    assert both[0]["hits"] == found(root, "search", QUERY, "--view", "topic")


@pytest.mark.parametrize("key", ["t00", "t30", "t71"])
def test_texts_like_one_in_topic_and_of_the_other_mood_are_found(root, key):
    topic, mood = TRUTH[key]
    other = {"angry": "glad", "glad": "angry"}[mood]
    asked = ("similar", key, "--keep", "topic", "--with", f"mood={other}", "-k", "5")
    hits = found(root, *asked)
    assert {TRUTH[hit["id"]] for hit in hits} == {(topic, other)}
    together = Workspace(root).together({"topic": 1}, {"mood": other})
    assert together.neighbours(key, 5) == hits
    assert f"{key}  ·  topic, mood={other}" in refract(root, *asked).out


def test_options_of_a_search_hold_for_all_of_it(root):
    asked = ("similar", "t00", "--keep", "topic", "--keep", "base", "--with", "mood=glad")
    hits = found(root, *asked, "--where", "channel = 'email'", "-k", "4", "--distinct")
    assert len(hits) == 4 and {hit["channel"] for hit in hits} == {"email"}
    several = found(root, "similar", "t00", "--view", "topic=1", "--view", "mood=2", "-k", "72")
    assert len(several) == 71 and TRUTH[several[0]["id"]] == TRUTH["t00"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("search", "x", "--view", "topic=1", "--view", "mood"), "'mood': found no weight beside"),
        (("search", "x", "--view", "topic=0"), "view 'topic': found the weight '0'"),
        (("search", "x", "--view", "topic=much"), "expected a number above 0"),
        (("search", "x", "--view", "topic="), "found nothing behind a '='"),
        (("search", "x", "--view", "topic=1", "--view", "topic=2"), "'topic': found it twice"),
        (("search", "x", "--view", "topic=1", "--view", "colour=2"), "'colour': there is none"),
        (("search", " ", "--view", "topic=1", "--view", "mood=2"), "the text is blank"),
        (("similar", "t00", "--keep", "topic"), "found --keep; expected --keep NAME and --with"),
        (("similar", "t00", "--with", "mood=glad"), "found --with; expected --keep NAME"),
        (
            ("similar", "t00", "--view", "topic", "--keep", "topic", "--with", "mood=glad"),
            "found --view and --keep and --with; expected",
        ),
        (("similar", "t00", "--keep", "topic", "--with", "mood"), "--with 'mood': found nothing"),
        (("similar", "t00", "--keep", "mood", "--with", "mood=glad"), "expected each view once"),
        (("similar", "t00", "--keep", "topic", "--with", "mood=sad"), "'sad': the view tells no"),
        (("similar", "t00", "--keep", "topic", "--with", "base=x"), "tell no labels apart"),
        (("similar", "t00", "--keep", "nope", "--with", "mood=glad"), "'nope': there is none"),
        (("similar", "nope", "--keep", "topic", "--with", "mood=glad"), "'nope': not in this view"),
        (
            ("similar", "t", "--keep", "topic", "--with", "mood=glad"),
            "'t': begins more than 3 ids",
        ),
    ],
)
def test_what_cannot_be_combined_is_refused_in_one_line(root, words, said):
    assert said in refused(root, *words)


def test_a_query_has_no_label_to_go_towards(root):
    with pytest.raises(InputError, match="found a label to go towards; expected none"):
        Workspace(root).together({"topic": 1}, {"mood": "glad"}).search("x")
