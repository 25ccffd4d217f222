"""What changed when, read from git alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flows.state.trust import ask
from tasks.core.evaluation.measures import MEASURES
from tasks.core.text.near_names import listed
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.instruction_name import check_name
from tasks.core.workspace.manifest import read_manifest
from tasks.core.workspace.manifests import ByMeasure, Scores
from tasks.core.workspace.paths import Paths
from tasks.versioning import history
from tasks.versioning.messages import identity


@dataclass(frozen=True)
class RecordedCommit:
    """A commit that recorded a state: its tags of views, and how many texts the corpus had.

    here: the workspace is in this state.
    """

    date: str
    commit: str
    here: bool
    tags: list[str]
    texts: int | None
    message: str


@dataclass(frozen=True)
class ViewVersion:
    """A commit that changed a view: the texts of the corpus, the labelled ones, and the scores.

    kinds: how many different labels; accuracy: share of held-out texts that get their label, in
    percent; right: about which share of all texts, see `Scores`; without: the aspects that the
    view is without; transform: its fingerprint, None where the view was removed; same_as: the
    newest older tag of the same transform.
    """

    date: str
    commit: str
    tag: str | None
    texts: int | None
    labels: int | None
    kinds: int | None
    method: str | None
    without: list[str]
    accuracy: float | None
    right: float | None
    before: ByMeasure
    after: ByMeasure
    transform: str | None
    same_as: str | None = None
    here: bool = False


def recorded_commits(paths: Paths, limit: int | None = None) -> list[RecordedCommit]:
    """Return the commits that recorded a state of the workspace, newest first."""
    ask(paths, "git")
    found = history.commits(paths.root, [history.LOCK], limit)
    corpora = history.corpora_at(paths.root, [commit.commit for commit in found])
    tags: dict[str, list[str]] = {}
    for tag in history.view_tags(paths.root):
        tags.setdefault(tag.commit, []).append(tag.tag)
    here = history.here(paths.root)
    return [
        RecordedCommit(
            date=commit.date,
            commit=commit.commit,
            here=commit.commit == here,
            tags=tags.get(commit.commit, []),
            texts=corpus.texts,
            message=commit.subject,
        )
        for commit, corpus in zip(found, corpora, strict=True)
    ]


def view_versions(paths: Paths, name: str, limit: int | None = None) -> list[ViewVersion]:
    """Return the commits that changed view `name`, newest first; InputError where none did."""
    file = history.score_file(check_name(name))
    ask(paths, "git")
    found = history.commits(paths.root, [file], limit)
    if not found:
        known = sorted({tag.view for tag in history.view_tags(paths.root)})
        raise InputError(
            f"view {name!r}: git holds no version of it; expected one that was recorded with"
            f" 'refract run --commit'; known: {listed(name, known)}"
        )
    scores = history.scores_at(paths.root, [(commit.commit, file) for commit in found])
    corpora = history.corpora_at(paths.root, [commit.commit for commit in found])
    tags = {tag.commit: tag.tag for tag in history.view_tags(paths.root, name)}
    now = read_manifest(paths.metric(name), Scores)
    rows = [
        ViewVersion(
            date=commit.date,
            commit=commit.commit,
            tag=tags.get(commit.commit),
            texts=corpus.texts,
            labels=figures.texts,
            kinds=figures.labels,
            method=figures.method,
            without=figures.erased,
            accuracy=figures.accuracy,
            right=figures.share_right,
            before=_figures(figures.before),
            after=_figures(figures.after),
            transform=identity(figures) if figures.model_fields_set else None,
        )
        for commit, figures, corpus in zip(found, scores, corpora, strict=True)
    ]
    current = identity(now) if now else None
    at = next((row for row in rows if current and row.transform == current), None)
    return [
        replace(row, same_as=_earlier(rows[n + 1 :], row.transform), here=row is at)
        for n, row in enumerate(rows)
    ]


def _earlier(older: Sequence[ViewVersion], transform: str | None) -> str | None:
    """Return the tag of the newest older version that had the same transform."""
    same = (row.tag for row in older if transform and row.transform == transform)
    return next((tag for tag in same if tag), None)


def _figures(figures: ByMeasure) -> ByMeasure:
    return {key: figures.get(key) for key in MEASURES} if figures else {}
