"""What git remembers of a workspace: commits, tags of views, and figures as they were."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifest import Manifest, parse_manifest, read_manifest
from tasks.core.workspace.manifests import CorpusFigures, Scores
from tasks.core.workspace.paths import Paths
from tasks.versioning.messages import Figures
from tasks.versioning.run_git_and_dvc import RepoLocation, git, git_answer, git_contents, place_of

_INSIDE = Paths(Path())  # the same paths as git names them: from the root of the workspace
SCORES = _INSIDE.metric_folder.as_posix()
CORPUS = _INSIDE.corpus_figures.as_posix()
LOCK = _INSIDE.lock.as_posix()
_Kind = TypeVar("_Kind", bound=Manifest)
_TAG = re.compile(r"view/(?P<view>[a-z0-9][a-z0-9_-]{0,62})/v(?P<number>[1-9][0-9]*)")


@dataclass(frozen=True)
class ViewTag:
    """A version of a view: the tag `view/NAME/vN` and the commit that it names."""

    tag: str
    view: str
    number: int
    commit: str
    reached: bool  # from where HEAD is now


@dataclass(frozen=True)
class Commit:
    """One recorded commit."""

    commit: str
    date: str
    subject: str


def repository(root: Path) -> RepoLocation:
    """Return where `root` lies in git; InputError where there is no repository."""
    place = place_of(root)
    if place is None:
        raise InputError(
            f"{root}: no git repository; expected one for versions;"
            " run 'git init && dvc init' in the workspace, then 'refract run --commit'"
        )
    return place


def resolve(root: Path, rev: str) -> str:
    """Return the commit that `rev` names; InputError with the known tags if there is none."""
    found = git_answer(
        root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}"
    )
    if found is None:
        known = [tag.tag for tag in view_tags(root)][-8:]
        branches = git(root, "branch", "--format=%(refname:short)").split("\n")
        plain = [name for name in branches if name and not name.startswith("(")]
        raise InputError(
            f"revision {rev!r}: git knows none of that name; expected a tag, a branch or a commit;"
            f" known: {', '.join([*plain, *known]) or 'none'}; see 'refract versions'"
        )
    return found


def recorded(root: Path, rev: str) -> str:
    """Return the commit that `rev` names; InputError if it holds no recorded workspace."""
    commit = resolve(root, rev)
    if not holds(root, commit, LOCK):
        raise InputError(
            f"revision {rev!r}: holds no recorded workspace; expected a dvc.lock in it;"
            " see 'refract versions'"
        )
    return commit


def view_tags(root: Path, view: str | None = None) -> list[ViewTag]:
    """Return the tags of views, oldest version first."""
    place = repository(root)
    base = f"refs/tags/{place.prefix}view/{view + '/' if view else ''}"
    form = "%(refname:strip=2)%09%(*objectname)%09%(objectname)"
    lines = git(root, "for-each-ref", f"--format={form}", base).splitlines()
    merged = git_answer(root, "for-each-ref", "--merged=HEAD", "--format=%(refname:strip=2)", base)
    reached = set((merged or "").splitlines())
    tags = []
    for line in lines:
        name, peeled, own = line.split("\t")
        match = _TAG.fullmatch(name.removeprefix(place.prefix))
        if match:
            commit, number = peeled or own, int(match["number"])
            tags.append(ViewTag(name, match["view"], number, commit, name in reached))
    return sorted(tags, key=lambda tag: (tag.view, tag.number))


def commits(root: Path, paths: Sequence[str], limit: int | None = None) -> list[Commit]:
    """Return the commits, on any branch or tag, that changed one of `paths`; newest first."""
    if git_answer(root, "rev-parse", "--verify", "--quiet", "HEAD") is None:
        return []
    most = [] if limit is None else [f"--max-count={limit}"]
    lines = git(
        root,
        "log",
        "HEAD",
        "--branches",
        "--tags",
        "--date-order",
        "--format=%H%x09%cI%x09%s",
        *most,
        "--",
        *paths,
    ).splitlines()
    return [Commit(*line.split("\t", 2)) for line in lines]


def last_commit(root: Path, *paths: str) -> str | None:
    """Return the commit on this branch that last changed one of `paths`."""
    return git_answer(root, "log", "--max-count=1", "--format=%H", "HEAD", "--", *paths) or None


def scores_at(root: Path, places: Sequence[tuple[str, str]]) -> list[Scores]:
    """Return the scores at each (revision, path); where there are none, empty ones."""
    return _manifests_at(root, places, Scores)


def corpora_at(root: Path, revs: Sequence[str]) -> list[CorpusFigures]:
    """Return the figures of the corpus at each revision; where there are none, empty ones."""
    return _manifests_at(root, [(rev, CORPUS) for rev in revs], CorpusFigures)


def _manifests_at(root: Path, places: Sequence[tuple[str, str]], kind: type[_Kind]) -> list[_Kind]:
    prefix = repository(root).prefix
    names = [f"{rev}:{prefix}{path}" for rev, path in places]
    found = zip(names, git_contents(root, names), strict=True)
    return [parse_manifest(content, kind, name) or kind() for name, content in found]


def figures_at(root: Path, revs: Sequence[str]) -> list[Figures]:
    """Return the figures that git holds at each revision."""
    names = [_score_names(root, rev) for rev in revs]
    asked = [
        (rev, f"{SCORES}/{name}.json") for rev, own in zip(revs, names, strict=True) for name in own
    ]
    found = iter(scores_at(root, asked))
    return [
        Figures(corpus.texts, {name: next(found) for name in own})
        for corpus, own in zip(corpora_at(root, revs), names, strict=True)
    ]


def _score_names(root: Path, rev: str) -> list[str]:
    listed = git_answer(root, "ls-tree", "--name-only", rev, f"{SCORES}/") or ""
    files = [Path(line) for line in listed.splitlines()]
    return [file.stem for file in files if file.suffix == ".json"]


def figures_now(root: Path) -> Figures:
    """Return the figures of the workspace as it is."""
    paths = Paths(root)
    files = sorted(paths.metric_folder.glob("*.json"), key=lambda file: file.stem)
    scores = {file.stem: read_manifest(file, Scores) or Scores() for file in files}
    corpus = read_manifest(paths.corpus_figures, CorpusFigures) or CorpusFigures()
    return Figures(corpus.texts, scores)


def score_file(view: str) -> str:
    """Return where a view's scores are, from the root of the workspace."""
    return _INSIDE.metric(view).as_posix()


def here(root: Path) -> str | None:
    """Return the commit that recorded what the workspace is now; None where it is in none.

    Commits of the user's own may have followed that one.
    """
    made = (LOCK, SCORES)  # which change with a fit, recorded or not
    same = git_answer(root, "diff", "--quiet", "HEAD", "--", *made) is not None
    return last_commit(root, LOCK) if same else None


def holds(root: Path, rev: str, path: str) -> bool:
    """Tell whether `path` of the workspace is in git at `rev`."""
    name = repository(root).name(path)
    return git_answer(root, "cat-file", "-e", f"{rev}:{name}") is not None
