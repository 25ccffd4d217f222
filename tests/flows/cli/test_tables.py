"""Tables on real terminals of several widths: what they show, and what they leave out."""

import json
import os
import subprocess
import sys

import pytest

WIDTHS = (60, 80, 120, 200)
WORDS = "The parcel was left with a neighbour whom nobody in this street has ever heard of."
DIGEST = "3f2a9c0011d7e2b4a6655f0e9d8c7b6a"
# One process that has imported all, and forks for each terminal that is asked of it.
TERMINALS = (
    f"""
ID, WORDS = {DIGEST!r}, {WORDS!r}
"""
    + """
import fcntl, json, os, pty, struct, sys, termios
from types import SimpleNamespace
from flows.cli.show import judgements, reports, status_table, version_tables
from flows.queries.doubts import DoubtedLabels
from flows.state.staleness import FRESH
from flows.state.status import InstructionState
from tasks.core.evaluation.doubts import DoubtedText
from tasks.core.views.snapshot import Hit
hit = Hit(score=0.93, id=ID, label="delivery_to_the_wrong_address", confidence=0.9, text=WORDS,
          metadata={})
figures = {"v_measure": 79.0, "triplets": 95.9, "sts": 81.2, "knn": 91.7}
about = InstructionState(labels={"a": 600, "b": 40}, before=figures, after=figures, rows=1600,
                         texts=640, right=92.4, knn_ceiling=55.0, transform=FRESH)
doubted = DoubtedLabels(instruction="x", doubted=1, asked=9, not_asked=0, rows=[
    DoubtedText(id=ID, label=["Lost Luggage"], likelier="Customer Service Issue", p_label=0.03,
                p_likelier=0.93, margin=-0.9, text=WORDS)])
row = {"here": True, "date": "2026-11-26T17:10:00", "commit": "268e4381aa", "tag": "view/x/v1",
       "same_as": None, "texts": 1600, "labels": 640, "method": "auto: kernel", "without": [],
       "after": figures,
       "right": 92.4, "tags": ["view/x/v1"], "message": "run: 1,600 texts; 3 views"}
shown = {
    "hits": lambda: reports.hits([("lost", "emotion", [hit])], as_json=False),
    "views": lambda: status_table.views({"emotion": about}),
    "versions": lambda: version_tables.view("emotion", [SimpleNamespace(**row)], as_json=False),
    "doubts": lambda: judgements.doubts(doubted, as_json=False),
    "commits": lambda: version_tables.commits([SimpleNamespace(**row)], as_json=False),
}
for asked in sys.stdin:
    what, width, columns = json.loads(asked)
    child, terminal = pty.fork()
    if not child:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
        os.environ.update({"COLUMNS": columns} if columns else {})
        shown[what]()
        sys.stdout.flush()
        os._exit(0)
    said = b""
    while True:
        try:
            said += (part := os.read(terminal, 65_536))
        except OSError:  # Linux' word for the end of a terminal
            break
        if not part:
            break
    os.close(terminal)
    print(json.dumps([said.decode(), os.waitpid(child, 0)[1]]), flush=True)
"""
)


@pytest.fixture(scope="module")
def on_terminal():
    """Return what is shown of `what` on a terminal of `width` characters."""
    environ = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES")}
    environ |= {"TERM": "dumb"}
    command = [sys.executable, "-c", TERMINALS]
    pipe = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environ, **pipe) as terminals:

        def shown(width, what, columns=None):
            print(json.dumps([what, width, columns]), file=terminals.stdin, flush=True)
            said, status = json.loads(terminals.stdout.readline())
            assert status == 0, said
            return said.replace("\r\n", "\n")

        yield shown
        terminals.stdin.close()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("what", ["hits", "doubts"])
def test_the_text_is_shown_whole_at_every_width(width, what, on_terminal):
    said = on_terminal(width, what)
    lines = said.splitlines()
    if what == "doubts":  # but for its sentences, which end no line
        assert lines.pop(0).startswith("x: 1 of 9 labels are in doubt: ")
        assert lines.pop().startswith("correct those that are wrong ")
    assert max(map(len, lines)) <= width
    start = lines[2].index("text")
    words = " ".join(line[start:] for line in lines[4:])
    assert WORDS in " ".join(words.split())
    assert DIGEST[:8] in said
    assert DIGEST not in said


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("what", ["views", "versions", "commits"])
def test_no_table_is_wider_than_the_terminal_or_cuts_what_it_shows(width, what, on_terminal):
    said = on_terminal(width, what)
    table = said.partition("  emotion: ")[0]
    assert max(map(len, table.splitlines())) <= width
    assert "…" not in said
    assert not [line for line in said.splitlines() if line.endswith(" ")]
    assert {"views": "92 %", "versions": "268e438", "commits": "run: 1,600"}[what] in said


def test_a_wide_terminal_shows_scores_before_and_after_a_narrow_one_those_after(on_terminal):
    assert "79.0 → 79.0" in on_terminal(120, "views")
    narrow = on_terminal(60, "views")
    assert "→" not in narrow
    assert "79.0" in narrow


def test_a_ceiling_of_the_neighbours_is_told_where_it_is_low(on_terminal):
    assert "kNN@10 can reach 55.0 at most" in on_terminal(80, "views")


def test_columns_of_the_environment_count_more_than_the_terminal(on_terminal):
    said = on_terminal(200, "hits", columns="60")
    assert max(map(len, said.splitlines())) <= 60
    wide = on_terminal(60, "views", columns="120")
    assert "79.0 → 79.0" in wide
