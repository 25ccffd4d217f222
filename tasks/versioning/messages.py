"""What changed between two recorded states, as one would write it into a log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tasks.core.evaluation.measures import BRIEF
from tasks.core.workspace.files import digest
from tasks.core.workspace.manifest import object_of
from tasks.core.workspace.manifests import ByMeasure, Scores

NAMED = 3  # views named in a headline; the others are counted


@dataclass(frozen=True)
class Figures:
    """What git holds of one state: the texts of the corpus, and each view's scores."""

    texts: int | None = None
    views: Mapping[str, Scores] = field(default_factory=dict)


@dataclass(frozen=True)
class Version:
    """A view's version to be tagged; `same_as` is an earlier one with the same transform."""

    number: int
    same_as: int | None = None

    def __str__(self) -> str:
        again = "" if self.same_as is None else f" = v{self.same_as}"
        return f"v{self.number}{again}"


def identity(scores: Scores | None) -> str:
    """Return the fingerprint of the transform that `scores` are of."""
    known = scores or Scores()
    return known.fingerprint or digest(object_of(known))


def changed_views(before: Figures, after: Figures) -> list[str]:
    """Return the views whose transform differs between two states."""
    old = {name: identity(scores) for name, scores in before.views.items()}
    return [name for name, scores in after.views.items() if old.get(name) != identity(scores)]


def log_message(
    subject: str,
    before: Figures,
    after: Figures,
    versions: Mapping[str, Version],
    files: Sequence[str],
) -> str:
    """Write a commit message: a headline that says what changed, and a line per changed view."""
    changed = sorted({*changed_views(before, after), *versions})
    gone = sorted(set(before.views) - set(after.views))
    said = [_texts(before.texts, after.texts)] if before.texts != after.texts else []
    if len(changed) == 1:
        said.append(_alone(changed[0], subject, after, versions))
    elif changed:
        said.append(f"{len(changed)} views: {_listed(changed, versions)}")
    if gone:
        said.append(f"without {', '.join(gone)}")
    headline = f"{subject}: {'; '.join(said or [_inputs(files)])}"
    lines = [_line(name, before, after, versions) for name in changed]
    return "\n".join([headline, "", *lines]) if lines else headline


def tag_message(name: str, version: Version, scores: Scores) -> str:
    """Write the message of a view's tag: its figures in one line."""
    return f"{name} {version}: {_labels(scores)}, {_measures(scores)}"


def live_line(name: str, scores: Scores, version: str | None) -> str:
    """Write what a run made of a view: `emotion: 640 labels, V 4 → 79, live as v2`."""
    live = "live" if version is None else f"live as {version}"
    return f"{name}: {', '.join([*_brief(scores), live])}"


def _texts(before: int | None, after: int | None) -> str:
    if before is None or after is None:
        return f"{after or 0:,} texts"
    return f"{before:,} → {after:,} texts"


def _alone(name: str, subject: str, after: Figures, versions: Mapping[str, Version]) -> str:
    scores = after.views.get(name, Scores())
    words = _brief(scores)
    if name in versions:
        words.append(f"view {versions[name]}")
    own = subject.rpartition("/")[2] == name
    return ("" if own else f"{name} ") + ", ".join(words)


def _brief(scores: Scores) -> list[str]:
    shift = _shift(scores, "v_measure", 0)
    return [f"{scores.texts or 0:,} labels", *([f"V {shift}"] if shift else [])]


def _listed(names: Sequence[str], versions: Mapping[str, Version]) -> str:
    shown = [f"{name} {versions[name]}" if name in versions else name for name in names[:NAMED]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _inputs(files: Sequence[str]) -> str:
    kinds = {
        "settings": any(file.endswith("params.yaml") for file in files),
        "labels": any("data/labels/" in file for file in files),
        "documents": any(file.endswith("data/raw.dvc") for file in files),
    }
    return ", ".join(kind for kind, there in kinds.items() if there) or "the state of the pipeline"


def _line(name: str, before: Figures, after: Figures, versions: Mapping[str, Version]) -> str:
    scores, old = after.views.get(name, Scores()), before.views.get(name)
    version = f" {versions[name]}" if name in versions else ""
    was = f" (V before this: {_figure(old.after, 'v_measure', 1)})" if old else ""
    return f"{name}{version}: {_labels(scores)}, {_measures(scores)}{was}"


def _labels(scores: Scores) -> str:
    kinds, method = scores.labels or 0, scores.method or "unknown"
    return f"{scores.texts or 0:,} labels of {kinds} kinds, {method}"


def _measures(scores: Scores) -> str:
    shifts = {title: _shift(scores, key, 1) for key, title in BRIEF.items()}
    said = [f"{title} {shift}" for title, shift in shifts.items() if shift]
    if scores.share_right is not None:
        said.insert(0, f"{scores.share_right:.0f} % right")
    return ", ".join(said) or "no scores"


def _shift(scores: Scores, key: str, digits: int) -> str:
    before, after = (_figure(part, key, digits) for part in (scores.before, scores.after))
    return "" if "–" in (before, after) else f"{before} → {after}"


def _figure(figures: ByMeasure, key: str, digits: int) -> str:
    value = figures.get(key)
    return "–" if value is None else f"{value:.{digits}f}"
