"""git and DVC, always through their command lines: the only module that knows either."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tasks.core.files import write_text

_IGNORED = "/.refract/"  # machine-local and disposable
_DVC_SETTINGS = {
    "core.analytics": "false",
    "cache.type": "reflink,hardlink,copy",  # a new version then costs only its new fragments
}


class RepositoryError(RuntimeError):
    """git or DVC refused; the workspace's own files are whole."""


def dvc(root: Path, *arguments: str) -> str:
    """Run DVC in `root`, waiting for its lock; return what it printed."""
    return _call(root, [sys.executable, "-m", "dvc", *arguments])


def git(root: Path, *arguments: str) -> str:
    """Run git in `root`; return what it printed."""
    return _call(root, ["git", *arguments])


def make_repository(folder: Path) -> None:
    """Make `folder` a git + DVC repository, or a DVC part of the git repository it lies in."""
    ignored = folder / ".gitignore"
    lines = ignored.read_text("utf-8").splitlines() if ignored.exists() else []
    if _IGNORED not in lines:
        write_text(ignored, "\n".join([*lines, _IGNORED]) + "\n")
    if not _in_git(folder):
        git(folder, "init", "--quiet", "--initial-branch=main")
    top = Path(git(folder, "rev-parse", "--show-toplevel").strip())
    dvc(folder, "init", "--quiet", *([] if top == folder.resolve() else ["--subdir"]))
    for key, value in _DVC_SETTINGS.items():
        dvc(folder, "config", "--quiet", key, value)


def _in_git(folder: Path) -> bool:
    done = subprocess.run(["git", "rev-parse"], cwd=folder, capture_output=True, check=False)
    return done.returncode == 0


def _call(root: Path, command: list[str]) -> str:
    environment = os.environ | {"DVC_NO_ANALYTICS": "1", "DO_NOT_TRACK": "1"}
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        wrong = next((line for line in lines if line.startswith(("ERROR", "fatal"))), lines[-1])
        name = "dvc" if "dvc" in command else "git"
        raise RepositoryError(f"{name} {command[-1]}: {wrong.removeprefix('ERROR: ')}")
    return done.stdout
