"""Rate and time left of long work, in lines as they stand in a log."""

import pytest

from tasks import progress


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_what_was_known_before_does_not_count_as_speed(clock, capsys):
    lines = progress._Lines("classify", 3_000, "answers", lambda: "")
    clock[0] = 1
    lines.advance(2_500)
    for second in range(2, 11):
        clock[0] = second
        lines.advance(10)
    assert "classify: 2,590 answers, 10/s, 41 s left of 3,000" in capsys.readouterr().err


def test_a_first_call_that_comes_late_and_counts_nothing_is_told(clock, capsys):
    lines = progress._Lines("classify", 3_000, "answers", lambda: "")
    clock[0] = 30
    lines.advance(0)
    assert capsys.readouterr().err == "classify: 0 answers, 0/s\n"
