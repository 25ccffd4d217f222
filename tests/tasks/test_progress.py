"""Rate and time left of long work, in lines as they stand in a log."""

import pytest

from tasks import progress


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(progress._Artifact, "_tell", lambda self, percent: None)  # no flow run
    return now


def test_what_was_known_before_does_not_count_as_speed(clock, capsys):
    with progress.track("classify", 3_000, "answers") as advance:
        clock[0] = 1
        advance(2_500)
        for second in range(2, 11):
            clock[0] = second
            advance(10)
    assert capsys.readouterr().err == "classify: 2,590 answers, 10/s, 41 s left of 3,000\n"


def test_a_first_call_that_comes_late_and_counts_nothing_is_told(clock, capsys):
    with progress.track("classify", 3_000, "answers", lambda: "$0.10") as advance:
        clock[0] = 5
        advance(0)
        clock[0] = 30
        advance(0)
    assert capsys.readouterr().err == "classify: 0 answers, 0/s, $0.10\n"


def test_on_a_terminal_a_bar_shows_count_rate_and_note(clock, capsys, monkeypatch):
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with progress.track("classify", 3_000, "answers", lambda: "$0.10") as advance:
        for second in range(4):
            clock[0] = second
            advance(500)
    shown = capsys.readouterr().err
    assert "2000/3000" in shown
    assert "500/s $0.10" in shown
