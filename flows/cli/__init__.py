"""The command line: a process that is up already runs it, or this one does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from flows.cli.terminal import open_closed_streams
from flows.warm.client import hand_over, root_of


def main() -> None:
    """Run the command line; where it is handed over, what it would need here is not imported."""
    open_closed_streams()
    words, environment = sys.argv[1:], dict(os.environ)
    code = hand_over(words)
    if code is not None:
        sys.exit(code)
    from flows.cli.verbs import run_here
    from flows.warm.start import leave_one

    root = _absolute(root_of(words))
    try:
        run_here()
    finally:
        leave_one(root, environment)


def _absolute(root: Path) -> Path:
    try:
        return root.absolute()  # a verb may go elsewhere
    except OSError:  # the folder in which this was typed is gone
        return root
