"""Which files git keeps of a workspace, and how it is to keep them."""

from __future__ import annotations

from tasks.core.labels.files import IGNORED
from tasks.core.settings.params import Params
from tasks.core.workspace.paths import Paths
from tasks.versioning.commit import TrackedFiles, uncommitted
from tasks.versioning.run_git_and_dvc import place_of


def tracked_files(paths: Paths) -> TrackedFiles:
    """Return what a commit holds: settings, labels, figures, and DVC's notes of the rest."""
    files = (
        *(paths.params, paths.pipeline, paths.lock, paths.raw_note, paths.labels),
        *(paths.corpus_figures, paths.metric_folder, paths.score_table, paths.shift_table),
        *(paths.data / ".gitignore", paths.quarantine / ".gitignore"),
    )
    once = (".gitignore", ".dvcignore", ".dvc/config", ".dvc/.gitignore")
    return TrackedFiles(
        files=tuple(file.relative_to(paths.root).as_posix() for file in files),
        once=once,
        passed=IGNORED,
    )


def commits_by_itself(paths: Paths, params: Params) -> bool:
    """Tell whether what runs by itself, without anyone typing a command, records in git."""
    return params.record.commit != "never" and paths.in_dvc() and place_of(paths.root) is not None


def anything_uncommitted(paths: Paths) -> bool:
    """Tell whether git lacks something of the state that DVC has recorded."""
    return bool(uncommitted(paths.root, tracked_files(paths)))
