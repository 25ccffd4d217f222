"""The workspace as it was at a revision."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from flows.lock import serving, writer
from flows.stale import state_digest
from tasks import checkout as exchange
from tasks import history
from tasks.core.errors import InputError
from tasks.core.files import read_json, write_json
from tasks.core.params import load_params
from tasks.core.paths import Paths
from tasks.repository import RepositoryError

SHOWN = 5  # files named in a refusal
SERVED = (
    "checkout: 'refract serve' runs on this workspace and would work on two versions at once;"
    " expected it stopped; stop it (Ctrl-C), then check out"
)


@dataclass(frozen=True)
class CheckedOut:
    """Where the workspace is now."""

    rev: str
    commit: str
    branch: str | None
    fetched: bool


def checkout(root: Path, rev: str) -> CheckedOut:
    """Bring corpus, vectors, labels, transforms and views back as they were at `rev`.

    Refused where something would be lost. A kill halfway is finished by doing it again.
    """
    paths = Paths(root)
    place = history.repository(root)
    if not paths.in_dvc():
        raise InputError(
            f"{root}: no DVC repository; expected one; run 'dvc init', then 'refract run --commit'"
        )
    with serving(paths, SERVED), writer(paths, finishing=True):
        commit = _begun(paths, rev) or history.recorded(root, rev)
        folders = (paths.data, paths.evaluations)
        data, but = (folder.relative_to(paths.root).as_posix() for folder in folders)
        _refuse_loss(paths, exchange.unrecorded_in_git(root, place, data, but))
        if not paths.unfinished_checkout.is_file():
            _refuse_loss(paths, exchange.unrecorded_in_dvc(root))
        fetched = _exchange(paths, rev, commit)
    return CheckedOut(rev, commit, exchange.branch(root), fetched)


def finish_checkout(paths: Paths) -> None:
    """Finish a checkout that a kill has stopped halfway, if there is one."""
    if not paths.unfinished_checkout.is_file():
        return
    with writer(paths, finishing=True):
        begun = read_json(paths.unfinished_checkout)
        if begun is None:  # another process has finished it, or the note itself was cut short
            paths.unfinished_checkout.unlink(missing_ok=True)
            return
        _exchange(paths, str(begun.get("to")), str(begun.get("commit")))


def _begun(paths: Paths, rev: str) -> str | None:
    """Return the commit of a checkout of `rev` that was stopped halfway: HEAD~1 moves with HEAD."""
    begun = read_json(paths.unfinished_checkout) or {}
    return str(begun["commit"]) if begun.get("to") == rev and "commit" in begun else None


def _exchange(paths: Paths, rev: str, commit: str) -> bool:
    root = paths.root
    begun = read_json(paths.unfinished_checkout) or {}
    back = begun.get("from") if begun.get("commit") == commit else None
    back = str(back or exchange.branch(root) or history.resolve(root, "HEAD"))
    write_json(paths.unfinished_checkout, {"to": rev, "commit": commit, "from": back})
    paths.recorded.unlink(missing_ok=True)
    shutil.rmtree(paths.all_shards, ignore_errors=True)  # of another history's version numbers
    exchange.switch(root, rev if exchange.is_branch(root, rev) else commit)
    try:
        fetched = exchange.lay_out(root, load_params(paths.params).record.remote)
    except RepositoryError as error:
        raise InputError(_missing(paths, rev, back, error)) from error
    exchange.make_own(paths.raw, paths.state)
    write_json(paths.recorded, {"state": state_digest(paths), "dvc": True})
    paths.unfinished_checkout.unlink()
    return fetched


def _missing(paths: Paths, rev: str, back: str, error: RepositoryError) -> str:
    """Go back to where the workspace came from, and say what `rev` lacks."""
    exchange.switch(paths.root, back)
    try:
        exchange.lay_out(paths.root, None)
        paths.unfinished_checkout.unlink()
        where = f"the workspace is at {back} again"
    except RepositoryError as again:
        where = f"nor is that of {back} ({again})"
    return (
        f"revision {rev!r}: its data is neither in the cache nor at a remote ({error}); expected"
        f" it in one of them; run 'dvc pull' where it was made, or 'dvc push' there; {where}"
    )


def _refuse_loss(paths: Paths, files: list[str]) -> None:
    if not files:
        return
    named = ", ".join(files[:SHOWN]) + (f" and {len(files) - SHOWN} more" * (len(files) > SHOWN))
    finish = ""
    begun = read_json(paths.unfinished_checkout)
    if begun is not None:
        finish = f" (a checkout of {begun.get('to')} was stopped halfway)"
    raise InputError(
        f"checkout: {len(files)} files changed, are recorded nowhere and would be lost: {named}"
        f"{finish}; expected a recorded workspace; run 'refract run --commit', or undo them"
        " ('git checkout -- FILE')"
    )
