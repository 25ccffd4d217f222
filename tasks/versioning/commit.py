"""One git commit of exactly the files that belong to a recorded state, and its tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.core.settings.running_sections import RecordSettings
from tasks.core.workspace.errors import InputError
from tasks.versioning import history
from tasks.versioning.dvcignore import is_recordable
from tasks.versioning.messages import Figures, Version, identity, log_message, tag_message
from tasks.versioning.run_git_and_dvc import (
    UNKNOWN,
    RepoLocation,
    git,
    git_answer,
    git_status,
    place_of,
)

_UNDER_WAY = {"MERGE_HEAD": "merge", "CHERRY_PICK_HEAD": "cherry-pick", "REVERT_HEAD": "revert"}


@dataclass(frozen=True)
class TrackedFiles:
    """The files of a recorded state, from the workspace's root.

    files: committed whenever they changed; a folder stands for all in it but hidden files and
    those whose name ends as `passed` says. once: committed only as long as git does not know
    them, since later changes are the user's own.
    """

    files: tuple[str, ...]
    once: tuple[str, ...]
    passed: tuple[str, ...]


@dataclass(frozen=True)
class Committed:
    """What git got; `commit` is None where nothing had changed."""

    commit: str | None
    message: str | None
    tags: tuple[str, ...]


def check_committable(root: Path, author: str | None) -> RepoLocation:
    """Return where the workspace lies in git; InputError where a commit must not be made now."""
    place = history.repository(root)
    for file, what in _UNDER_WAY.items():
        if git_answer(root, "rev-parse", "--verify", "--quiet", file) is not None:
            raise InputError(
                f"git: a {what} is in progress; expected none; finish it, or end it with"
                f" 'git {what} --abort', then run 'refract run --commit'"
            )
    if git_answer(root, "symbolic-ref", "--quiet", "HEAD") is None:
        raise InputError(
            "git: HEAD is detached, a commit would belong to no branch; expected a branch;"
            " switch to one ('git switch -c NAME', or 'refract checkout main')"
        )
    if author is None and git_answer(root, "var", "GIT_COMMITTER_IDENT") is None:
        raise InputError(
            "git: no identity to commit with; expected a name and a mail; set record.author in"
            " params.yaml, or run 'git config user.name …' and 'git config user.email …'"
        )
    return place


def uncommitted(root: Path, tracked_files: TrackedFiles) -> list[str]:
    """Return the belongings that differ from HEAD or that git does not know, from git's top."""
    place = place_of(root)
    if place is None:
        return []
    changed, untracked = _status(place, (*tracked_files.files, *tracked_files.once))
    once = {place.name(path) for path in tracked_files.once}
    named = {*once, *(place.name(path) for path in tracked_files.files)}
    fresh = [
        path
        for path in untracked
        if path in named
        or (not _passed(path, tracked_files.passed) and is_recordable(place.top / path))
    ]
    known = [path for path in changed if path not in once or _added(place, path)]
    return sorted({*known, *fresh})


def _status(place: RepoLocation, paths: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return changed and unknown files among `paths`; what git ignores is neither."""
    rows = git_status(place.top, [place.name(path) for path in paths])
    unknown = [path for state, path in rows if state == UNKNOWN]
    return [path for state, path in rows if state != UNKNOWN], unknown


def _added(place: RepoLocation, path: str) -> bool:
    """Tell whether `path` is staged but in no commit yet."""
    return git_answer(place.top, "cat-file", "-e", f"HEAD:{path}") is None


def _passed(path: str, endings: tuple[str, ...]) -> bool:
    return path.endswith(endings) or path.rpartition("/")[2].startswith(".")


def commit(
    root: Path,
    subject: str,
    tracked_files: TrackedFiles,
    settings: RecordSettings,
    waiting: Sequence[str] = (),
) -> Committed:
    """Commit the tracked files alone, and tag each new version of a view, but for those `waiting`.

    What is staged or changed elsewhere stays as it is. What a kill left out is made up for: the
    commit holds whatever differs, and a view without a tag of its transform gets one.
    """
    place = check_committable(root, settings.author)
    files = uncommitted(root, tracked_files)
    born = git_answer(root, "rev-parse", "--verify", "--quiet", "HEAD") is not None
    before = history.figures_at(root, ["HEAD"])[0] if born else Figures()
    after = history.figures_now(root)
    versions = new_versions(root, after) if settings.tag else {}
    versions = {name: new for name, new in versions.items() if name not in waiting}
    made, message = None, None
    if files:
        message = log_message(subject, before, after, versions, files)
        made = _commit(place, message, files, settings)
    tags = [_tag(root, place, name, version, after, settings) for name, version in versions.items()]
    return Committed(made, message, tuple(tags))


def _commit(
    place: RepoLocation, message: str, files: Sequence[str], settings: RecordSettings
) -> str:
    there = [path for path in files if (place.top / path).exists()]
    if there:
        git(place.top, "add", "--", *there)
    git(
        place.top,
        "commit",
        "--quiet",
        *_signing("--gpg-sign", "--no-gpg-sign", settings.sign),
        "--file=-",  # a line a view: of some hundreds it is too long to be an argument
        "--only",
        "--",
        *files,
        env=_identity(settings.author),
        given=message,
    )
    return git(place.top, "rev-parse", "HEAD").strip()


def new_versions(root: Path, now: Figures) -> dict[str, Version]:
    """Return the views whose transform is not that of their newest tag, with the next number."""
    tags = history.view_tags(root)
    then = history.scores_at(root, [(tag.commit, history.score_file(tag.view)) for tag in tags])
    known: dict[str, list[tuple[history.ViewTag, str]]] = {}
    for tag, scores in zip(tags, then, strict=True):
        known.setdefault(tag.view, []).append((tag, identity(scores)))
    versions = {}
    for name, own_scores in now.views.items():
        own, made = known.get(name, []), identity(own_scores)
        reached = [fingerprint for tag, fingerprint in own if tag.reached]
        if reached[-1:] != [made]:
            same = [tag.number for tag, fingerprint in own if fingerprint == made]
            number = max((tag.number for tag, _ in own), default=0) + 1
            versions[name] = Version(number, same[-1] if same else None)
    return versions


def _tag(
    root: Path,
    place: RepoLocation,
    name: str,
    version: Version,
    now: Figures,
    settings: RecordSettings,
) -> str:
    tag = place.name(f"view/{name}/v{version.number}")
    made = history.last_commit(root, history.score_file(name), history.LOCK) or "HEAD"
    message = f"--message={tag_message(name, version, now.views[name])}"
    signing = _signing("--sign", "--no-sign", settings.sign)
    git(root, "tag", "--annotate", *signing, message, tag, made, env=_identity(settings.author))
    return tag


def _signing(yes: str, no: str, wanted: bool | None) -> list[str]:
    return [] if wanted is None else [yes if wanted else no]


def _identity(author: str | None) -> Mapping[str, str]:
    if author is None:
        return {}
    name, _, mail = author.rpartition(" <")
    parts = {"NAME": name.strip(), "EMAIL": mail.removesuffix(">")}
    roles = ("AUTHOR", "COMMITTER")
    return {f"GIT_{role}_{part}": value for role in roles for part, value in parts.items()}
