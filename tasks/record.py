"""Record in DVC and in git what a run has made, and send it on."""

from __future__ import annotations

import sys
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.core.settings.running_sections import RecordSettings
from tasks.core.workspace.files import digest
from tasks.core.workspace.manifest import read_manifest, write_manifest
from tasks.core.workspace.state_manifests import PushNote
from tasks.retries import RETRIES
from tasks.versioning import commit as committing
from tasks.versioning import dvc_notes
from tasks.versioning.commit import Committed, TrackedFiles
from tasks.versioning.dvc_notes import STAGES
from tasks.versioning.dvcignore import keep_out
from tasks.versioning.run_git_and_dvc import (
    RepositoryError,
    dvc,
    dvc_in_turn,
    git,
    git_answer,
    place_of,
)
from tasks.versioning.trees import Present

_TOLD = 3  # names of what cannot be recorded, at most


@task(name="record", cache_policy=NO_CACHE, **RETRIES)
def record(
    root: Path,
    raw: str | None = None,
    labels: str | None = None,
    stages: tuple[str, ...] = STAGES,
) -> None:
    """Let DVC take over the outputs of `stages` as they are now, and the documents in `raw`.

    What cannot be recorded in `raw` and `labels` is told and passed over. The documents are copied
    to the cache, not linked: an export job may go on appending to them, and what is in the cache
    already is not copied again. InputError where the notes of DVC name anything that is not
    Refract's own: DVC would take it over as well.
    """
    dvc_notes.wanted(Present(root))
    _keep_out(root, [folder for folder in (raw, labels) if folder is not None])
    documents = raw is not None and takes_documents(root, raw)
    first = [("add", "--no-relink", str(raw))] if documents else []
    dvc_in_turn(root, *first, ("commit", "--force", *stages))


def _keep_out(root: Path, folders: list[str]) -> None:
    out = keep_out(root / "data", [root / folder for folder in folders])
    names = [path.relative_to(root).as_posix() for path in out[:_TOLD]]
    if names:
        said = ", ".join(names).encode("utf-8", "replace").decode()
        more = f" and {len(out) - _TOLD} more" if len(out) > _TOLD else ""
        print(f"not recorded: {said}{more}: no file that can be read; remove it", file=sys.stderr)


def takes_documents(root: Path, raw: str) -> bool:
    """Tell whether `raw` is DVC's to track: there, and neither tracked nor ignored by git."""
    folder = root / raw
    if folder.is_symlink() or not any(path.is_file() for path in folder.rglob("*")):
        return False
    if place_of(root) is None or (root / f"{raw}.dvc").is_file():
        return True
    if git_answer(root, "ls-files", "--", raw):
        return False
    return git_answer(root, "check-ignore", "--quiet", raw) is None


@task(name="commit", cache_policy=NO_CACHE, **RETRIES)
def commit(
    root: Path,
    subject: str,
    tracked_files: TrackedFiles,
    settings: RecordSettings,
    waiting: tuple[str, ...],
) -> Committed:
    """Make the state a git commit with a tag for each new version of a view not in `waiting`."""
    return committing.commit(root, subject, tracked_files, settings, waiting)


@task(name="push", cache_policy=NO_CACHE)
def push(root: Path, note: Path, files: tuple[Path, ...], remote: str | None) -> bool:
    """Send to the DVC remote what it lacks; start nothing where `files` are those last sent.

    What is not Refract's own is left to the user.
    """
    now = digest([file.read_text("utf-8") for file in files if file.is_file()], remote)
    known = read_manifest(note, PushNote) or PushNote()
    if known.data == now:
        return False
    wanted = dvc_notes.wanted(Present(root))
    dvc(root, "push", *([] if remote is None else ["--remote", remote]), *wanted.targets)
    write_manifest(note, known.changed(data=now))
    return True


@task(name="git push", cache_policy=NO_CACHE)
def git_push(root: Path, note: Path) -> bool:
    """Send this branch's commits and tags to its upstream, or to 'origin' where it has none."""
    head, known = git(root, "show-ref", "--head"), read_manifest(note, PushNote) or PushNote()
    now = digest([line for line in head.splitlines() if "refs/remotes/" not in line])
    if known.commits == now:
        return False
    upstream = git_answer(root, "rev-parse", "--verify", "--quiet", "@{upstream}")
    where = [] if upstream else ["origin", "HEAD"]
    git(root, "push", "--quiet", "--follow-tags", *where)
    write_manifest(note, known.changed(commits=now))
    return True


__all__ = ["STAGES", "RepositoryError", "commit", "git_push", "push", "record"]
