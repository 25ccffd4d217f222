"""git and DVC, always through their command lines: the only module that knows either."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import write_text

_IGNORED = "/.refract/"  # machine-local and disposable
_DVC_SETTINGS = {
    "core.analytics": "false",
    # Hardlinks first: a new version costs only its new fragments. With reflinks first DVC 3.67
    # takes plain copies for reflinks where the file system has none, and all is there twice.
    "cache.type": "hardlink,reflink,copy",
}

# Settings by which git starts programs or asks other hosts. A question starts nothing, in whosever
# repository; what the user has asked for (`_ACTS`) does as git does: with hooks, filters, signing.
_QUIET = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "log.showSignature": "false",
    "safe.bareRepository": "explicit",  # a folder in a clone may look like a repository itself
}
_ACTS = ("add", "checkout", "commit", "push", "tag", "init")
UNKNOWN = "??"  # state of a file that git does not track
_SAFE_PATH = "refract"  # the value by which our own PYTHONSAFEPATH is known

_IN_TURN = """
import json, sys
from dvc.cli import main
sys.exit(next((code for words in json.loads(sys.argv[1]) if (code := main(words))), 0))
"""


class RepositoryError(RuntimeError):
    """git or DVC refused; the workspace's own files are whole."""


@dataclass(frozen=True)
class RepoLocation:
    """Where a workspace lies in its git repository: `prefix` is "", or the way from the top."""

    top: Path
    prefix: str

    def name(self, path: str) -> str:
        """Return a path below the workspace as git names it, from the top."""
        return self.prefix + path


def dvc(root: Path, *arguments: str) -> str:
    """Run DVC in `root`, waiting for its lock; return what it printed."""
    # -P: a `dvc.py` or `dvc/` in the workspace is not the module that is meant.
    command = [sys.executable, "-P", "-m", "dvc", "--wait-for-lock", *arguments]
    return _checked(root, command, f"dvc {arguments[0]}")


def dvc_in_turn(root: Path, *commands: Sequence[str]) -> None:
    """Run DVC's `commands` one after the other until one fails, in one process: DVC's start costs
    more than what most of them do."""
    words = json.dumps([["--wait-for-lock", *command] for command in commands])
    name = f"dvc {', '.join(command[0] for command in commands)}"
    _checked(root, [sys.executable, "-P", "-c", _IN_TURN, words], name)


def git(root: Path, *arguments: str, env: Mapping[str, str] | None = None, given: str = "") -> str:
    """Run git in `root`; return what it printed. given: what it reads from standard input."""
    quiet = [] if arguments[0] in _ACTS else _quiet()
    command = ["git", *quiet, "--literal-pathspecs", *arguments]
    return _checked(root, command, f"git {arguments[0]}", env, os.fsencode(given))


def git_answer(root: Path, *arguments: str) -> str | None:
    """Run git in `root` for a question; None where it says no."""
    done = _call(root, ["git", *_quiet(), *arguments])
    return None if done.returncode else os.fsdecode(done.stdout).strip()


def git_status(root: Path, paths: Sequence[str]) -> list[tuple[str, str]]:
    """Return what git finds changed or new among `paths`: two letters of state, and the path.

    Paths are named from git's top; what git ignores is not among them, and a renamed file is one
    that is gone and one that is new.
    """
    how = ("--porcelain=v1", "-z", "--no-renames", "--untracked-files=all")
    said = git(root, "status", *how, "--", *paths)
    return [(row[:2], row[3:]) for row in said.split("\0") if row]


def git_contents(root: Path, names: Sequence[str]) -> list[bytes | None]:
    """Return each `REV:PATH` of `names` as git holds it, None where it holds none; one process."""
    asked = "".join(f"{name}\n" for name in names)
    done = _call(root, ["git", *_quiet(), "cat-file", "--batch"], stdin=os.fsencode(asked))
    found: list[bytes | None] = []
    rest = done.stdout
    for _ in names:
        head, _, rest = rest.partition(b"\n")
        if head.endswith((b" missing", b" ambiguous")):
            found.append(None)
            continue
        size = int(head.rsplit(b" ", 1)[1])
        found.append(rest[:size])
        rest = rest[size + 1 :]
    return found


def place_of(root: Path) -> RepoLocation | None:
    """Return where `root` lies in git, or None outside of any repository.

    InputError where there is one that git will not read: of another owner, or broken.
    """
    command = ["git", *_quiet(), "rev-parse", "--show-toplevel", "--show-prefix"]
    answer = _call(root, command, {"LC_ALL": "C", "LANGUAGE": "C"})
    if answer.returncode:
        _refuse_unreadable(root, os.fsdecode(answer.stderr))
        return None
    top, prefix = os.fsdecode(answer.stdout).split("\n")[:2]
    return RepoLocation(Path(top), prefix)


def _refuse_unreadable(root: Path, said: str) -> None:
    """Raise InputError unless git said that there is no repository at all."""
    owned = re.search(r"dubious ownership in repository at '(.*)'", said)
    if owned:
        raise InputError(
            f"{owned[1]}: is a git repository of another user, which git does not read; expected"
            " one of your own; if you trust whoever owns it: git config --global --add"
            f" safe.directory {shlex.quote(owned[1])}"
        )
    none = "not a git repository (or any" in said
    if not none or (root / ".git").exists():
        wrong = _complaint(said) if not none else "not a git repository"
        raise InputError(
            f"{root}: git cannot read its repository ({wrong.removeprefix('fatal: ')}); expected"
            " one that 'git status' works in; repair or remove .git"
        )


def hooks_of(root: Path) -> Path | None:
    """Return the folder of hooks that came with the repository; None: it is the user's own."""
    said = _call(root, ["git", "rev-parse", "--git-path", "hooks", "--git-common-dir"])
    place = place_of(root)
    if said.returncode or place is None:
        return None
    hooks, own = ((root / line).resolve() for line in os.fsdecode(said.stdout).splitlines()[:2])
    return hooks if {own, place.top.resolve()} & {hooks, *hooks.parents} else None


def _quiet() -> list[str]:
    return [word for key, value in _QUIET.items() for word in ("-c", f"{key}={value}")]


def make_repository(folder: Path) -> None:
    """Make `folder` a git + DVC repository, or a DVC part of the git repository it lies in."""
    _ignore(folder / ".gitignore")
    if place_of(folder) is None:
        git(folder, "init", "--quiet", "--initial-branch=main")
    top = Path(git(folder, "rev-parse", "--show-toplevel").strip())
    init = ("init", *([] if top == folder.resolve() else ["--subdir"]))
    settings = [("config", key, value) for key, value in _DVC_SETTINGS.items()]
    dvc_in_turn(folder, init, *settings)
    _ignore(folder / ".dvcignore")


def _ignore(file: Path) -> None:
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    if _IGNORED not in lines:
        write_text(file, "\n".join([*lines, _IGNORED]) + "\n")


def _checked(
    root: Path,
    command: list[str],
    name: str,
    env: Mapping[str, str] | None = None,
    given: bytes = b"",
) -> str:
    done = _call(root, command, env, given)
    if done.returncode:
        wrong = _complaint(os.fsdecode(done.stderr or done.stdout))
        raise RepositoryError(f"{name}: {wrong}")
    return os.fsdecode(done.stdout)


def _complaint(said: str) -> str:
    """Return what is wrong in one line, with the list that follows a colon."""
    lines = said.strip().splitlines() or ["no message"]
    at = next((n for n, line in enumerate(lines) if line.startswith(("ERROR", "fatal"))), -1)
    wrong = lines[at].removeprefix("ERROR: ")
    if at >= 0 and wrong.endswith(":"):
        wrong += " " + ", ".join(line.strip() for line in lines[at + 1 : at + 4] if line.strip())
    return wrong


def _call(
    root: Path,
    command: list[str],
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
) -> subprocess.CompletedProcess[bytes]:
    quiet = {"DVC_NO_ANALYTICS": "1", "DO_NOT_TRACK": "1", "GIT_TERMINAL_PROMPT": "0"}
    own = {**os.environ, **quiet, **(env or {})}
    if command[0] == "git" and own.get("PYTHONSAFEPATH") == _SAFE_PATH:
        del own["PYTHONSAFEPATH"]  # the user's hooks are no children of ours in this
    return subprocess.run(
        command,
        cwd=root,
        env=own,
        input=stdin,
        capture_output=True,
        check=False,
    )
