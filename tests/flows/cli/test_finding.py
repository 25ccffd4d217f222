"""What is found where a name has a slip, or none is given: what was meant is said."""

import json
import shutil
import warnings

import pytest

from flows import Workspace
from tasks.core.workspace.paths import Paths
from tests.commands import refract, refused

REMARK = "mood has no label 'gald'; it has 'angry', 'glad' (did you mean 'glad'?)"
SLIP = "channel = 'email' AND label IN ('gald', 'angry')"


@pytest.fixture(scope="module")
def root(_made, tmp_path_factory):
    """A workspace that these tests only look at."""
    return shutil.copytree(_made, tmp_path_factory.mktemp("finding") / "world")


@pytest.mark.parametrize(
    "words",
    [
        ("search", "late", "--view", "moood"),
        ("search", "late", "--view", "topic=1", "--view", "moood=1"),
        ("similar", "t07", "--view", "moood"),
        ("similar", "t07", "--keep", "topic", "--with", "moood=glad"),
        ("export", "moood", "moood.parquet"),
        ("evaluate", "moood"),
        ("report", "moood"),
        ("doubts", "moood"),
        ("fit", "moood"),
        ("materialise", "moood"),
    ],
    ids=lambda words: " ".join(words[:3]),
)
def test_a_view_with_a_slip_in_its_name_is_refused_with_the_one_that_was_meant(root, words):
    assert refused(root, *words).count("(did you mean 'mood'?)") == 1
    other = [word.replace("moood", "zzz") for word in words]
    assert "did you mean" not in refused(root, *other)


def test_texts_to_begin_a_view_with_come_with_the_one_that_may_have_been_meant(root):
    done = refract(root, "suggest", "moood", "-n", "3")
    assert done.code == 0 and done.out.count("\n") == 4
    assert "no view 'moood' yet; these cover the corpus" in done.err
    assert "known: mood, topic (did you mean 'mood'?)" in done.err


def test_a_label_to_go_towards_with_a_slip_is_refused_with_the_one_that_was_meant(root):
    said = refused(root, "similar", "t07", "--keep", "topic", "--with", "mood=gald")
    assert "expected one of: 'angry', 'glad' (did you mean 'glad'?)" in said


@pytest.mark.parametrize("words", [("search", "late"), ("similar", "t07")])
def test_the_only_view_is_used_unnamed_and_said_and_of_several_none_is(made, words):
    assert "no view named; expected --view and one of: base, mood, topic" in refused(made, *words)
    Paths(made).view_stamp("topic").unlink()
    named, unnamed = (
        refract(made, *words, "--view", "mood", "--json"),
        refract(made, *words, "--json"),
    )
    assert unnamed.out == named.out and len(json.loads(named.out)) == 10
    assert (named.err, unnamed.err.count("\n")) == ("", 1)
    assert unnamed.err.startswith("seen by mood, the only view; '--view base' is")
    Paths(made).view_stamp("mood").unlink()
    assert "no view named; expected --view and one of: base;" in refused(made, *words)


@pytest.mark.parametrize("words", [("search", "late"), ("similar", "t07")])
def test_a_filter_by_a_label_that_the_view_has_not_finds_what_it_finds_and_says_so(root, words):
    done = refract(root, *words, "--view", "mood", "--where", SLIP, "--json")
    assert {hit["label"] for hit in json.loads(done.out)} == {"angry"}
    assert (done.code, done.err) == (0, f"--where: {REMARK}\n")
    several = refract(root, *words, "--view", "mood=1", "--view", "topic=1", "--where", SLIP)
    assert (several.code, several.err) == (0, f"--where: {REMARK}\n")
    other = ("--where", "label = 'glad' AND label <> 'angry' AND lower(label) <> 'x'")
    assert refract(root, *words, "--view", "mood", *other).err == ""
    assert refract(root, *words, "--view", "base", "--where", "channel = 'label'").err == ""


def test_each_view_that_lacks_the_label_says_so(root):
    views = ("--view", "mood", "--view", "topic")
    done = refract(root, "search", "late", *views, "--where", "label = 'refund'")
    assert done.err == "--where: mood has no label 'refund'; it has 'angry', 'glad'\n"


def test_python_is_warned_of_a_label_that_the_view_has_not(root):
    view = Workspace(root).view("mood")
    both = Workspace(root).together({"mood": 1, "topic": 1})
    for ask in (view.search, view.hits, both.search):
        with pytest.warns(UserWarning, match="where: mood has no label 'gald'") as told:
            assert len(ask("late", 3, SLIP)) == 3
        assert [warning.filename for warning in told] == [__file__]
    for ask in (view.similar, view.neighbours):
        with pytest.warns(UserWarning, match="where: mood has no label 'gald'"):
            assert len(ask("t07", 3, SLIP)) == 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(view.hits("late", 3, "label = 'glad'")) == 3
