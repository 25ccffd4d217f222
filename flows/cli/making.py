"""The verbs that make something. Prefect is imported only when there is something to make."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flows.cli.options import Folder, json_option, root_option
from flows.runtime.environment import settle_home
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.one_look import one_look
from tasks.core.workspace.paths import Paths
from tasks.signs import stages_told

if TYPE_CHECKING:
    from flows.state.status import WorkspaceState
    from tasks.core.settings.params import Params


@click.command()
@click.argument("folder", type=Folder())
@click.option("--git", is_flag=True, help="Make it a git + DVC repository.")
def init(folder: Path, git: bool) -> None:
    """Make a new workspace in FOLDER."""
    settle_home()
    from flows.init import make_workspace

    for line in make_workspace(folder, git=git):
        click.echo(line)


@click.command()
@click.argument("sources", nargs=-1)
@click.option("--replace", is_flag=True, help="Let SOURCES replace documents of the same name.")
@click.option("--text", metavar="COLUMN", help="Column of the texts, kept in params.yaml.")
@click.option("--id", "key", metavar="COLUMN", help="Column of the ids, kept in params.yaml.")
@json_option
@root_option
def ingest(
    sources: tuple[str, ...],
    replace: bool,
    text: str | None,
    key: str | None,
    as_json: bool,
    root: Path,
) -> None:
    """Build the corpus from data/raw, after copying SOURCES there.

    SOURCES are files, folders and globs. Without a column of a usual name, such as text, content
    or body, the one with the longest texts is offered on a terminal.
    """
    from flows.cli.asking import with_columns
    from flows.cli.show import reports
    from flows.state import staleness
    from flows.state.sources import documents
    from tasks.core.documents.copying import Incoming, check_columns, incoming, strays
    from tasks.core.settings.params import load_params
    from tasks.core.settings.table_sections import IngestSettings
    from tasks.core.store.layout import exists

    paths = Paths(root)
    params = load_params(paths.params)
    given = {name: column for name, column in (("text", text), ("id", key)) if column}

    def brought(settings: IngestSettings) -> list[Incoming]:
        """Check what comes, and, where columns may change, what is there."""
        there = paths.raw.is_dir() and any(paths.raw.iterdir())
        first = not sources and not exists(paths.corpus_table)
        if first or (given and (there or not sources)):
            check_columns(documents(paths, params).files, settings)
        return incoming(sources, paths.raw, settings, replace=replace)

    params, bring = with_columns(paths, params, given, brought)
    for line in strays(sources):
        click.echo(f"ingest: {line}", err=as_json)
    if not bring:
        files = documents(paths, params).files
        verdict = staleness.ingest_verdict(
            paths, staleness.sources_fingerprint(paths, params, files)
        )
        if not verdict.stale:
            reports.nothing_to_do("ingest", verdict.reason, as_json=as_json)
            return
    start_prefect(paths)
    from flows.ingest import ingest as flow

    reports.tell(flow(root, bring), reports.ingested, paths, as_json=as_json)


@click.command()
@click.argument("names", nargs=-1)
@click.option("--force", is_flag=True, help="Fit also what is up to date.")
@click.option(
    "--from-column",
    "column",
    metavar="COLUMN",
    help="Column of the documents that holds the labels of NAME, kept in params.yaml.",
)
@click.option(
    "--classes",
    metavar="LIST|FILE",
    help="What the labels of NAME are called, parted by commas, or a line each: no text needs one.",
)
@json_option
@root_option
def fit(
    names: tuple[str, ...],
    force: bool,
    column: str | None,
    classes: str | None,
    as_json: bool,
    root: Path,
) -> None:
    """Fit a transform for each label file that changed."""
    from flows.cli.show import reports
    from flows.state import libraries, staleness
    from flows.state.unreadable_labels import reject_unreadable
    from tasks.core.settings.params import load_params

    paths = Paths(root)
    params = load_params(paths.params)
    if column is not None:
        from flows.cli.asking import label_by_column

        label_by_column(paths, params, names, column)
        params = load_params(paths.params)
    if classes is not None:
        from flows.cli.asking import name_labels

        name_labels(paths, names, classes)
    if not (force and staleness.wanted_labels(paths, names)) and not staleness.any_fit(
        paths, params, names
    ):
        reports.nothing_to_do("fit", "what can be fitted is up to date", as_json=as_json)
        _tell_older_views(paths, params, names, as_json=as_json)
        _refuse_rejected(staleness.rejections(paths, params, names))
        return
    if not force and "DVC_STAGE" not in os.environ:  # a stage has outputs to make in any case
        reject_unreadable(paths, params, names)
        if not staleness.any_fit(paths, params, names):
            _refuse_rejected(staleness.rejections(paths, params, names))
            return
    start_prefect(paths, lambda: libraries.to_fit(paths, params, names, force=force))
    from flows.fit import fit as flow

    outcome = flow(root, list(names) or None, force)
    reports.tell(outcome, reports.fitted, tuple(outcome.rejected), as_json=as_json)
    _tell_older_views(paths, params, names, as_json=as_json)
    _refuse_rejected(staleness.rejections(paths, params, names) | outcome.rejected)


def _tell_older_views(
    paths: Paths, params: Params, names: tuple[str, ...], *, as_json: bool
) -> None:
    """Say which views (of `names`, or all) search still shows as they were before the last fit."""
    from flows.cli.show import reports
    from flows.state import staleness

    if as_json or "DVC_STAGE" in os.environ:  # a program reads `status`; the next stage goes on
        return
    fitted = [name for name in staleness.fitted(paths) if not names or name in names]
    with one_look():
        why = {name: staleness.view_verdict(paths, params, name).reason for name in fitted}
    reports.older_views(
        [name for name in fitted if why[name] == staleness.NEW_TRANSFORM],
        [name for name in fitted if why[name] == staleness.NO_VIEW],
    )


def _refuse_rejected(rejected: dict[str, str]) -> None:
    """Print the label files that could not be used, and end with exit code 2.

    Not within `dvc repro`: the rejections are an output of its stage, and the other views go on.
    """
    if not rejected:
        return
    within_dvc = "DVC_STAGE" in os.environ
    if within_dvc or len(rejected) > 1:
        for name, reason in rejected.items():
            click.echo(f"fit {name}: rejected, {reason}", err=True)
    if not within_dvc:
        one = next(iter(rejected.values()))
        raise InputError(
            one if len(rejected) == 1 else f"{len(rejected)} label files cannot be used, see above"
        )


@click.command()
@click.argument("names", nargs=-1)
@json_option
@root_option
def materialise(names: tuple[str, ...], as_json: bool, root: Path) -> None:
    """Write each view that is out of date.

    A new transform is applied to all base vectors, a known one to new rows only.
    """
    from flows.cli.show import reports
    from flows.state import libraries, staleness
    from tasks.core.settings.params import load_params

    paths = Paths(root)
    params = load_params(paths.params)
    if not staleness.any_view(paths, params, names):
        reports.nothing_to_do("materialise", "every view is up to date", as_json=as_json)
        return
    start_prefect(paths, lambda: libraries.to_apply(paths, params, names))
    from flows.materialise import materialise as flow

    reports.tell(flow(root, list(names) or None), reports.materialised, as_json=as_json)


@click.command()
@click.option("--commit", is_flag=True, help="Record it in git as well: one commit, and tags.")
@json_option
@root_option
def run(commit: bool, as_json: bool, root: Path) -> None:
    """Ingest, embed, fit and materialise what is stale, then record it in DVC."""
    from flows.cli.show import reports
    from flows.state import libraries, staleness
    from flows.state.status import read_status
    from flows.state.tracked_files import anything_uncommitted
    from flows.state.trust import ask, ask_recording
    from flows.state.unreadable_labels import unreadable
    from tasks.core.settings.params import load_params

    paths = Paths(root)
    params = load_params(paths.params)
    ask(paths, "sources", "model")
    ask_recording(paths, params)
    commit = commit or (params.record.commit == "always" and paths.in_dvc())
    with one_look():
        stale = staleness.anything(paths, params) or (commit and anything_uncommitted(paths))
        state = None if stale else read_status(paths, params)
    if state is None:
        for reason in unreadable(paths, params):
            click.echo(f"run: goes on without a label file: {reason}", err=True)
        start_prefect(paths, lambda: libraries.needed(paths, params))
        from flows.run import run as flow

        with nullcontext() if as_json else stages_told("run"):
            made = flow(root, commit)
        reports.tell(made, reports.ran, paths, as_json=as_json)
    else:
        reports.nothing_to_do("run", "everything is up to date", as_json=as_json)
    _close(paths, state or read_status(paths, params), as_json=as_json)


def _close(paths: Paths, state: WorkspaceState, *, as_json: bool) -> None:
    """Show what is there after a run; InputError where none of the label files could be used."""
    from flows.cli.show import status_table

    views = {name for name, about in state.instructions.items() if about.rows}
    if not as_json:
        status_table.status(state)
        status_table.next_steps(paths, sorted(views))
    reasons = [
        about.transform.reason
        for name, about in state.instructions.items()
        if name not in views and about.rejected
    ]
    if reasons and not views:
        raise InputError(f"run: none of the label files could be used; {'; '.join(reasons)}")


def start_prefect(paths: Paths, needed: Callable[[], Sequence[str]] = tuple) -> None:
    """Let Prefect run flows of the workspace; needed: returns what is imported meanwhile."""
    from flows.runtime.prefect_settings import settle

    settle(paths, needed)
