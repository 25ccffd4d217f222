"""What a person sees before anything is done: at once, in one line that goes again."""

import os
import pty
import select
import subprocess
import sys
import time

import pytest

from tests.commands import refract

ERASE = "\r\x1b[K"


def on_terminal(root, *words):
    """Return what `refract` writes to a terminal, part by part, and its exit code."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "flows", *words],
        cwd=root,
        env=os.environ | {"TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    parts, last = [], time.monotonic() + 120
    while time.monotonic() < last and select.select([ours], [], [], 60)[0]:
        try:
            parts.append(os.read(ours, 65536).decode())
        except OSError:  # nobody holds the other end any more
            break
    os.close(ours)
    return "".join(parts), process.wait(60)


def test_a_verb_says_at_once_that_it_works_and_leaves_no_trace_of_it(tmp_path):
    said, code = on_terminal(tmp_path, "status")
    assert code == 2
    assert said.startswith(f"{ERASE}refract status …{ERASE}refract: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize("words", [("--help",), ("status", "--help"), ()])
def test_help_needs_no_sign(tmp_path, words):
    assert ERASE not in on_terminal(tmp_path, *words)[0]


def test_nothing_is_added_where_nobody_looks(tmp_path):
    assert refract(tmp_path, "status").err.startswith("refract: ")
