"""The workspace as it was at a revision."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from flows.runtime.lock import serving, writer
from flows.state.staleness import state_digest
from flows.state.trust import EXCHANGE, ask, is_own, refuse, strangers
from flows.stores.publishing import publish
from flows.stores.recording import take_over
from tasks.core.settings.params import load_params
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifest import read_manifest, write_manifest
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.state_manifests import CheckoutNote, RecordNote
from tasks.versioning import checkout as exchange
from tasks.versioning import dvc_notes, history
from tasks.versioning.reach import DVC_FILES, Reach, of_dvc
from tasks.versioning.run_git_and_dvc import RepositoryError, git_contents
from tasks.versioning.trees import Present, Recorded

SHOWN = 5  # files named in a refusal
SERVED = (
    "checkout: 'refract serve' runs on this workspace and would work on two versions at once;"
    " expected it stopped; stop it (Ctrl-C), then check out"
)


@dataclass(frozen=True)
class CheckedOut:
    """What a checkout has brought: the revision asked for, its commit, and the branch, if any."""

    rev: str
    commit: str
    branch: str | None
    fetched: bool
    left: tuple[str, ...] = ()  # outputs of the user's own, which DVC was not asked for


def checkout(root: Path, rev: str) -> CheckedOut:
    """Bring corpus, vectors, labels, transforms and views back as they were at `rev`.

    Refused where something would be lost. A kill halfway is finished by doing it again.
    """
    paths = Paths(root)
    ask(paths, *EXCHANGE)
    place = history.repository(root)
    if not paths.in_dvc():
        raise InputError(
            f"{root}: no DVC repository; expected one; run 'dvc init', then 'refract run --commit'"
        )
    with serving(paths, SERVED), writer(paths, finishing=True):
        commit = _begun(paths, rev) or history.recorded(root, rev)
        wanted = version(paths, rev)
        folders = (paths.data, paths.evaluations)
        data, but = (folder.relative_to(paths.root).as_posix() for folder in folders)
        _refuse_loss(paths, exchange.unrecorded_in_git(root, place, data, but))
        if not paths.unfinished_checkout.is_file():
            present = dvc_notes.wanted(Present(root))
            _refuse_loss(paths, exchange.unrecorded_in_dvc(root, present.targets))
        fetched = _exchange(paths, rev, commit, wanted)
    return CheckedOut(rev, commit, exchange.branch(root), fetched, wanted.left)


def finish_checkout(paths: Paths) -> None:
    """Finish a checkout that a kill has stopped halfway, if there is one."""
    if not paths.unfinished_checkout.is_file():
        return
    ask(paths, *EXCHANGE)  # the note may have come with the workspace
    with writer(paths, finishing=True):
        begun = _noted(paths)
        to, commit = begun.to, begun.commit
        if to is None or commit is None:
            # another process has finished it, or the note itself was cut short
            paths.unfinished_checkout.unlink(missing_ok=True)
            return
        _exchange(paths, to, commit, version(paths, commit))


def _begun(paths: Paths, rev: str) -> str | None:
    """Return the commit of a checkout of `rev` that was stopped halfway: HEAD~1 moves with HEAD."""
    begun = _noted(paths)
    return begun.commit if begun.to == rev else None


def _noted(paths: Paths) -> CheckoutNote:
    return read_manifest(paths.unfinished_checkout, CheckoutNote) or CheckoutNote()


def version(paths: Paths, rev: str, only: tuple[str, ...] = ()) -> dvc_notes.Wanted:
    """Return what DVC lays out of `rev`, or of it what is in `only`.

    InputError where that version would write elsewhere, or nobody agreed to where its data is.
    """
    if not is_own(paths):
        refuse(paths, strangers(paths, reaches_at(paths, rev)), rev)
    commit = history.recorded(paths.root, rev)
    tree = Recorded(paths.root, history.repository(paths.root), commit)
    return dvc_notes.wanted(tree).only(only)


def reaches_at(paths: Paths, rev: str) -> list[Reach]:
    """Return where DVC looks for data as `rev` sets it up."""
    place, commit = history.repository(paths.root), history.recorded(paths.root, rev)
    names = [f".dvc/{name}" for name in DVC_FILES]
    asked = [f"{commit}:{place.name(name)}" for name in names]
    found = zip(names, git_contents(paths.root, asked), strict=True)
    return list(of_dvc({name: content for name, content in found if content is not None}))


def _exchange(paths: Paths, rev: str, commit: str, wanted: dvc_notes.Wanted) -> bool:
    root = paths.root
    begun = _noted(paths)
    known = begun.back if begun.commit == commit else None
    back = known or exchange.branch(root) or history.resolve(root, "HEAD")
    note = CheckoutNote(to=rev, commit=commit, back=back)
    write_manifest(paths.unfinished_checkout, note)
    paths.recorded.unlink(missing_ok=True)
    shutil.rmtree(paths.all_shards, ignore_errors=True)  # of another history's version numbers
    exchange.switch(root, rev if exchange.is_branch(root, rev) else commit)
    try:
        fetched = exchange.lay_out(root, load_params(paths.params).record.remote, wanted)
    except RepositoryError as error:
        raise InputError(_missing(paths, rev, back, error)) from error
    except InputError as error:
        raise InputError(f"{error}; {_back(paths, back)}") from error
    params = load_params(paths.params)
    take_over(paths, params)
    publish(paths, params)
    exchange.make_own(paths.raw, paths.state)
    write_manifest(paths.recorded, RecordNote(state=state_digest(paths), dvc=True))
    paths.unfinished_checkout.unlink()
    return fetched


def _missing(paths: Paths, rev: str, back: str, error: RepositoryError) -> str:
    """Go back to where the workspace came from, and say what `rev` lacks."""
    return (
        f"revision {rev!r}: its data is neither in the cache nor at a remote ({error}); expected"
        f" it in one of them; run 'dvc pull' where it was made, or 'dvc push' there;"
        f" {_back(paths, back)}"
    )


def _back(paths: Paths, back: str) -> str:
    """Go back to `back`, and say whether that is whole."""
    exchange.switch(paths.root, back)
    try:
        exchange.lay_out(paths.root, None, dvc_notes.wanted(Present(paths.root)))
        paths.unfinished_checkout.unlink()
    except (RepositoryError, InputError) as again:
        return f"nor is that of {back} ({again})"
    return f"the workspace is at {back} again"


def _refuse_loss(paths: Paths, files: list[str]) -> None:
    if not files:
        return
    named = ", ".join(files[:SHOWN]) + (f" and {len(files) - SHOWN} more" * (len(files) > SHOWN))
    finish = ""
    begun = read_manifest(paths.unfinished_checkout, CheckoutNote)
    if begun is not None:
        finish = f" (a checkout of {begun.to} was stopped halfway)"
    raise InputError(
        f"checkout: {len(files)} files changed, are recorded nowhere and would be lost: {named}"
        f"{finish}; expected a recorded workspace; run 'refract run --commit', or undo them"
        " ('git checkout -- FILE')"
    )
