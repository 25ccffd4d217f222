"""Commands and Python ask the service where one runs; what they find is the same."""

import json
import shutil

import pytest
from fastapi import Response

from flows.explore import client
from flows.explore.routes import search
from flows.queries.workspace import Workspace
from tasks.core.views import together
from tasks.core.views.search import Space
from tasks.core.views.snapshot import Found, Hit
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths
from tests.commands import refract
from tests.exploring import Explored

COMMANDS = [
    ("search", "where is my parcel", "--view", "mood"),
    ("search", "where is my parcel", "--view", "mood", "--view", "base", "-k", "3", "--json"),
    ("search", "thank you & ' \" ü 你好", "--view", "topic", "--json", "--distinct", "-k", "30"),
    ("search", "x", "--view", "base", "--where", "channel = 'email' AND stars > 1", "--json"),
    ("search", "x", "--view", "mood", "--where", "nope = 1"),
    ("search", "x", "--view", "mood", "--view", "topic", "--where", "label = 'gald'"),
    ("search", " ", "--view", "mood"),
    ("search", "x " * 20_000, "--view", "mood", "--json"),
    ("similar", "t07", "--view", "topic", "--json"),
    ("similar", "t0", "--view", "topic"),
    ("search", "late", "--view", "topic=0.1", "--view", "mood=0.7", "--json", "-k", "30"),
    ("similar", "t07", "--view", "topic=1", "--view", "base=2", "--distinct", "--json"),
    ("similar", "t07", "--keep", "topic", "--keep", "base", "--with", "mood=glad", "--json"),
    ("similar", "t07", "--keep", "topic", "--with", "mood=a: b & 你"),
    ("similar", "a/../b?c#d %2f", "--view", "base"),
]


@pytest.fixture
def unable(monkeypatch):
    """No space can be searched here: whatever is found, the service has found."""

    def refuse(*_, **__):
        raise AssertionError("searched here")

    monkeypatch.setattr(Space, "search", refuse)
    monkeypatch.setattr(Space, "similar", refuse)
    monkeypatch.setattr(together, "closest_by_all", refuse)
    monkeypatch.setattr(together, "similar_by_all", refuse)


def test_a_view_that_is_open_here_is_asked_here(explored, monkeypatch):
    view = Workspace(explored.root).view("mood")
    assert view.space
    monkeypatch.setattr(client, "running", lambda *_: pytest.fail("asked elsewhere"))
    assert len(view.hits("late parcel", 5)) == 5


def test_an_id_with_a_line_break_is_told_of_as_without_a_service(explored, apart):
    for root in (explored.root, apart):
        with pytest.raises(InputError, match="not in this view; expected an id of the corpus"):
            Workspace(root).view("mood").neighbours("a\nb")


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: f"{words[0]} {words[1][:10]!r}")
def test_a_command_says_byte_for_byte_the_same_by_the_service(explored, apart, words):
    assert refract(explored.root, *words) == refract(apart, *words)


def test_python_and_commands_do_not_search_where_the_service_does(explored, unable):
    view = Workspace(explored.root).view("mood")
    assert len(view.hits("late parcel", 5)) == len(view.neighbours("t07", 5)) == 5
    assert refract(explored.root, "search", "late", "--view", "mood").code == 0
    several = Workspace(explored.root).together({"topic": 1, "base": 0.1}, {"mood": "glad"})
    assert len(several.neighbours("t07", 5)) == 5
    assert len(Workspace(explored.root).together({"topic": 1, "mood": 0.1}).hits("late", 5)) == 5
    with pytest.raises(AssertionError, match="searched here"):
        view.hits("late", 0)  # what the service would refuse by its description


def test_numbers_that_json_has_no_word_for_are_said_to_be_missing():
    answer = Response()
    hit = Hit(0.5, "a text", "t1", {"size": float("inf"), "stars": 3})
    told = search._told("base", Found([hit], None), answer)
    assert answer.headers[client.INEXACT] == "true"
    assert json.loads(told.model_dump_json())["hits"][0]["size"] is None
    plain = Response()
    search._told("base", Found([Hit(0.5, "a text", "t1", {"stars": 3})], None), plain)
    assert client.INEXACT not in plain.headers


def test_what_python_finds_here_is_what_the_service_finds(explored, apart):
    here, there = (Workspace(root).view("mood") for root in (apart, explored.root))
    assert json.dumps(here.hits("late", 7)) == json.dumps(there.hits("late", 7))
    assert json.dumps(here.neighbours("t07")) == json.dumps(there.neighbours("t07"))
    with pytest.raises(InputError) as one:
        here.neighbours("nope")
    with pytest.raises(InputError) as other:
        there.neighbours("nope")
    assert str(one.value) == str(other.value)


def test_a_service_of_other_code_or_another_workspace_is_not_asked(made, explored, monkeypatch):
    note = Paths(explored.root).explore_note
    shutil.copy2(note, Paths(made).explore_note)
    assert client.running(Paths(made)) is None
    assert client.running(Paths(explored.root)) is not None
    monkeypatch.setattr(client, "made_by", lambda: "another")
    assert client.running(Paths(explored.root)) is None


def test_a_service_that_was_killed_costs_nothing_but_itself(made, tmp_path):
    served = Explored(made, tmp_path / "log")
    assert served.get("/views").status == 200
    served.end()
    assert Paths(made).explore_note.exists()
    assert Workspace(made).view("mood").hits("late", 2)
    again = Explored(made, tmp_path / "log")
    try:
        assert again.get("/views").status == 200
    finally:
        again.end()
