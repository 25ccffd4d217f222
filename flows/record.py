"""What a run has made → DVC, git, tags and remotes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

from flows.belongings import belongings, manner
from flows.stale import state_digest
from flows.trust import ask_recording
from tasks.committing import Committed
from tasks.core.files import write_json
from tasks.core.params import Params
from tasks.core.paths import Paths
from tasks.record import commit as commit_state
from tasks.record import git_push, push, record
from tasks.repository import RepositoryError, place_of

NOT_COMMITTED = Committed(None, None, ())


@dataclass(frozen=True)
class Recorded:
    """Where a state is kept now; `unsent` says why a remote did not get it."""

    in_dvc: bool
    commit: str | None
    message: str | None
    tags: tuple[str, ...]
    pushed: tuple[str, ...]
    unsent: tuple[str, ...]


def record_run(paths: Paths, params: Params, subject: str, *, commit: bool) -> Recorded:
    """Record the state in DVC, then in git, then send it on; the caller holds the write lock.

    Each step finds what an earlier one that was killed left out, so repeating it repairs it.
    """
    ask_recording(paths, params)
    in_dvc = paths.in_dvc()
    made, pushed, unsent = NOT_COMMITTED, [], []
    if in_dvc:
        record(paths.root, paths.raw.relative_to(paths.root).as_posix())
        if commit and place_of(paths.root) is not None:
            made = commit_state(paths.root, subject, belongings(paths), manner(params))
        for name, send in _sendings(paths, params, commit=commit):
            try:
                pushed += [name] if send() else []
            except RepositoryError as error:
                unsent.append(f"{error}; the run is recorded here and the next one sends it")
                print(f"not sent: {unsent[-1]}", file=sys.stderr)
    write_json(paths.recorded, {"state": state_digest(paths), "dvc": in_dvc})
    return Recorded(in_dvc, made.commit, made.message, made.tags, tuple(pushed), tuple(unsent))


def _sendings(
    paths: Paths, params: Params, *, commit: bool
) -> list[tuple[str, Callable[[], bool]]]:
    """Return what is to be sent where: data before the commits that name it."""
    wanted = params.record
    sendings: list[tuple[str, Callable[[], bool]]] = []
    if wanted.push:
        files = (paths.lock, paths.raw_note)
        sendings.append(
            ("data", lambda: push(paths.root, paths.pushed, files, wanted.remote)),
        )
    if wanted.git_push and commit and place_of(paths.root) is not None:
        sendings.append(("commits", lambda: git_push(paths.root, paths.pushed)))
    return sendings
