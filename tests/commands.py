"""The command line without a process of its own: Python and its libraries are loaded once."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from pathlib import Path
from typing import NamedTuple


class Done(NamedTuple):
    """Exit code of a command, and what it said."""

    code: int
    out: str
    err: str


def refract(root: Path, *words: str, **environment: str) -> Done:
    """Be the command line in the folder `root`."""
    from flows.cli import main

    before, argv, here = dict(os.environ), sys.argv, Path.cwd()
    out, err = io.StringIO(), io.StringIO()
    os.environ.update(environment)
    sys.argv = ["refract", *words]
    os.chdir(root)
    code: object = 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as end:
        code = end.code or 0
    finally:
        os.chdir(here)
        sys.argv = argv
        os.environ.clear()
        os.environ.update(before)
    return Done(int(str(code)), out.getvalue(), err.getvalue())


def refused(root: Path, *words: str) -> str:
    """Return the one line on stderr of a command that has to end with exit code 2."""
    done = refract(root, *words)
    assert done.code == 2, done.err
    assert done.err.count("\n") == 1, done.err
    return done.err
