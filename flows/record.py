"""What a run has made → DVC, git, tags and remotes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

from flows.state.score_tables import write_tables
from flows.state.staleness import fitted, state_digest
from flows.state.tracked_files import tracked_files
from flows.state.trust import ask_recording
from flows.state.unwritten import sweep_unfinished
from flows.state.wholeness import is_live, mixtures
from flows.stores.publishing import publish
from flows.stores.recording import hold
from tasks.core.settings.params import Params
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifest import write_manifest
from tasks.core.workspace.one_look import one_look
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.state_manifests import RecordNote
from tasks.record import commit as commit_state
from tasks.record import git_push, push, record
from tasks.versioning.commit import Committed
from tasks.versioning.run_git_and_dvc import RepositoryError, place_of

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
    InputError where files of two fits lie side by side: nothing untrue is recorded.
    """
    ask_recording(paths, params)
    _check_whole(paths)
    write_tables(paths)
    sweep_unfinished(paths)
    hold(paths)
    in_dvc = paths.in_dvc()
    made, pushed, unsent = NOT_COMMITTED, [], []
    if in_dvc:
        paths.rejected_documents.parent.mkdir(parents=True, exist_ok=True)  # DVC asks for it
        _check_labels(paths)
        raw, labels = (
            path.relative_to(paths.root).as_posix() for path in (paths.raw, paths.labels)
        )
        record(paths.root, raw, labels)
        if commit and place_of(paths.root) is not None:
            with one_look():
                waiting = tuple(name for name in fitted(paths) if not is_live(paths, name))
            made = commit_state(paths.root, subject, tracked_files(paths), params.record, waiting)
        for name, send in _sendings(paths, params, commit=commit):
            try:
                pushed += [name] if send() else []
            except RepositoryError as error:
                unsent.append(f"{error}; the run is recorded here and the next one sends it")
                print(f"not sent: {unsent[-1]}", file=sys.stderr)
    publish(paths, params)
    write_manifest(paths.recorded, RecordNote(state=state_digest(paths), dvc=in_dvc))
    paths.unfinished_rollback.unlink(missing_ok=True)
    return Recorded(in_dvc, made.commit, made.message, made.tags, tuple(pushed), tuple(unsent))


def _check_whole(paths: Paths) -> None:
    found = mixtures(paths)
    if found:
        said = "; ".join(f"view {name!r}: {reason}" for name, reason in found.items())
        first = next(iter(found))
        raise InputError(
            f"{said}; expected all of one fit, so nothing is recorded; run 'refract fit {first}"
            f" --force', or 'refract rollback {first} VERSION'"
        )


def _check_labels(paths: Paths) -> None:
    """Make the folder that DVC asks for; RepositoryError where it has held labels and is gone."""
    if paths.labels.is_dir():
        return
    if paths.labels.exists() or fitted(paths):
        raise RepositoryError(
            f"{paths.inside(paths.labels)}: found no folder; expected that of the label files;"
            " restore it, or make an empty one if no instruction is to be kept up to date"
        )
    paths.labels.mkdir(parents=True)


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
