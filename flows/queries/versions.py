"""What changed when, read from git alone."""

from __future__ import annotations

from typing import Any

from flows.state.trust import ask
from tasks.core.evaluation.measures import MEASURES
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import read_json
from tasks.core.workspace.instruction_name import check_name
from tasks.core.workspace.paths import Paths
from tasks.versioning import history
from tasks.versioning.messages import identity


def recorded_commits(paths: Paths, limit: int | None = None) -> list[dict[str, Any]]:
    """Return the commits that recorded a state of the workspace, newest first."""
    ask(paths, "git")
    found = history.commits(paths.root, [history.LOCK], limit)
    corpora = history.json_at(paths.root, [(commit.commit, history.CORPUS) for commit in found])
    tags: dict[str, list[str]] = {}
    for tag in history.view_tags(paths.root):
        tags.setdefault(tag.commit, []).append(tag.tag)
    here = history.head(paths.root)
    return [
        {
            "date": commit.date,
            "commit": commit.commit,
            "here": commit.commit == here,
            "tags": tags.get(commit.commit, []),
            "texts": corpus.get("texts"),
            "message": commit.subject,
        }
        for commit, corpus in zip(found, corpora, strict=True)
    ]


def view_versions(paths: Paths, name: str, limit: int | None = None) -> list[dict[str, Any]]:
    """Return the commits that changed view `name`, newest first; InputError where none did."""
    file = history.score_file(check_name(name))
    ask(paths, "git")
    found = history.commits(paths.root, [file], limit)
    if not found:
        known = sorted({tag.view for tag in history.view_tags(paths.root)})
        raise InputError(
            f"view {name!r}: git holds no version of it; expected one that was recorded with"
            f" 'refract run --commit'; known: {', '.join(known) or 'none'}"
        )
    scores = history.json_at(paths.root, [(commit.commit, file) for commit in found])
    corpora = history.json_at(paths.root, [(commit.commit, history.CORPUS) for commit in found])
    tags = {tag.commit: tag.tag for tag in history.view_tags(paths.root, name)}
    now = read_json(paths.metric(name))
    rows = [
        {
            "date": commit.date,
            "commit": commit.commit,
            "tag": tags.get(commit.commit),
            "texts": corpus.get("texts"),
            "labels": figures.get("texts"),
            "kinds": figures.get("labels"),
            "method": figures.get("method"),
            "before": _figures(figures, "before"),
            "after": _figures(figures, "after"),
            "transform": identity(figures) if figures else None,
        }
        for commit, figures, corpus in zip(found, scores, corpora, strict=True)
    ]
    current = identity(now) if now else None
    at = next((row for row in rows if current and row["transform"] == current), None)
    return [
        {**row, "same_as": _earlier(rows[n + 1 :], row["transform"]), "here": row is at}
        for n, row in enumerate(rows)
    ]


def _earlier(older: list[dict[str, Any]], transform: Any) -> str | None:
    """Return the tag of the newest older version that had the same transform."""
    same = (row["tag"] for row in older if transform and row["transform"] == transform)
    return next((tag for tag in same if tag), None)


def _figures(scores: dict[str, Any], when: str) -> dict[str, Any]:
    part = scores.get(when)
    return {key: part.get(key) for key in MEASURES} if isinstance(part, dict) else {}
