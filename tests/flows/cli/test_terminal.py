"""What reaches a person's terminal, whatever stands in texts, ids and labels."""

import io
import json

import click
import polars as pl
import pytest

from flows.cli.show import judgements, reports, status_table
from flows.cli.terminal import cleaned
from flows.state.staleness import FRESH, Verdict
from flows.state.status import CorpusState, InstructionState, VectorsState, WorkspaceState
from tasks.core.views.snapshot import Hit

EVIL = "a\x1b[31mb\x1b]0;t\x07\x9b2Jc\u202ed\u2066 [red]e[/red] [link=http://x]f[/link] :smile: \\"


class Terminal(io.TextIOWrapper):
    """A stream that somebody looks at."""

    def isatty(self):
        return True


@pytest.fixture
def printed(monkeypatch):
    """Return what both streams of the terminal, or of a pipe, are given by a function."""

    def run(function, encoding="utf-8", kind=io.TextIOWrapper):
        streams = kind(io.BytesIO(), encoding=encoding), kind(io.BytesIO(), encoding=encoding)
        with monkeypatch.context() as patched:
            patched.setattr("sys.stdout", streams[0])
            patched.setattr("sys.stderr", streams[1])
            with cleaned():
                function()
            for stream in streams:
                stream.flush()
        return "".join(stream.buffer.getvalue().decode(encoding) for stream in streams)

    return run


HIT = Hit(score=0.5, id=EVIL, label=EVIL, confidence=1.0, text=EVIL, metadata={})


@pytest.mark.parametrize(
    "say",
    [
        lambda: click.echo(EVIL),
        lambda: click.echo(EVIL, err=True),
        lambda: print(EVIL),
        lambda: reports.hits([(EVIL, EVIL, [HIT])], as_json=False),
        lambda: reports.hits([("q", "v", [HIT])], as_json=True),
    ],
)
@pytest.mark.parametrize("kind", [io.TextIOWrapper, Terminal])
def test_nothing_moves_the_cursor_or_turns_a_line_round(printed, say, kind, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    said = printed(say, kind=kind)
    assert "a" in said
    assert not set(said) & {"\x1b", "\x07", "\x9b", "\u202e", "\u2066"}


def test_markup_and_emoji_codes_are_only_text(printed):
    text = "[link=y]z[/link] \\"
    hit = Hit(score=0.5, id="[red]x[/red]", label=":smile:", text=text, metadata={})
    said = printed(lambda: reports.hits([("[b]q", "v", [hit])], as_json=False))
    for text in ("[red]x[/red]", ":smile:", "[link=y]z[/link] \\", "[b]q"):
        assert text in said


def test_json_is_the_data_as_it_is(printed):
    said = printed(lambda: reports.hits([("q", "v", [HIT])], as_json=True))
    assert json.loads(said) == [HIT.to_json()]


def test_a_terminal_that_has_fewer_characters_shows_what_it_can(printed):
    rows = [Hit(score=0.5, id="料", label="Ärger", text="→ 料金", metadata={})]
    said = printed(lambda: reports.hits([("q", "v", rows)], as_json=False), encoding="latin-1")
    assert "Ärger" in said
    assert r"\u6599" in said


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_what_is_suggested_is_utf_8_in_any_locale(monkeypatch, form):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    monkeypatch.setattr("sys.stdout", stream)
    with cleaned():
        judgements.suggestions(pl.DataFrame({"id": ["a"], "text": ["料金 \x1b[31m"]}), form)
    said = stream.buffer.getvalue().decode("utf-8")
    assert "料金" in said
    assert r"\x1b" not in said  # a file keeps its data


def test_what_is_suggested_computes_nothing_in_a_spreadsheet(printed):
    rows = pl.DataFrame({"id": ["a"], "text": ["=HYPERLINK(1)"]})
    table, notice = printed(lambda: judgements.suggestions(rows, "csv")).split("suggest: ")
    assert table == "id,text\na,'=HYPERLINK(1)\n"
    assert notice.startswith("1 text ")
    assert "--format jsonl" in notice
    assert json.loads(printed(lambda: judgements.suggestions(rows, "jsonl")))["text"][0] == "="


def test_why_a_label_file_was_rejected_stands_on_one_line_below_the_table(printed):
    verdict = Verdict(False, "rejected: a.csv: found " + "long words " * 20 + "end")
    state = WorkspaceState(
        root=".",
        unfinished=[],
        corpus=CorpusState(texts=1, sources=1, verdict=FRESH),
        vectors=VectorsState(verdict=FRESH),
        instructions={"topic": InstructionState(transform=verdict)},
        next=None,
    )
    said = printed(lambda: status_table.status(state)).splitlines()
    assert f"  topic is {verdict.reason}" in said
    assert len(said) < 12
