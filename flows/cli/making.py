"""The verbs that make something. Prefect is imported only when there is something to make."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from flows.cli.options import Folder, json_option, root_option
from flows.runtime.environment import settle_home
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths


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
@json_option
@root_option
def ingest(sources: tuple[str, ...], replace: bool, as_json: bool, root: Path) -> None:
    """Build the corpus from data/raw, after copying SOURCES there.

    SOURCES are files, folders and globs.
    """
    from flows.cli import show
    from flows.state import staleness
    from flows.state.sources import documents
    from tasks.core.documents.copying import incoming, strays
    from tasks.core.settings.params import load_params

    paths = Paths(root)
    params = load_params(paths.params)
    bring = incoming(sources, paths.raw, params.ingest, replace=replace)
    for line in strays(sources):
        click.echo(f"ingest: {line}", err=as_json)
    if not bring:
        files = documents(paths, params).files
        verdict = staleness.ingest_verdict(
            paths, staleness.sources_fingerprint(paths, params, files)
        )
        if not verdict.stale:
            show.nothing_to_do("ingest", verdict.reason, as_json=as_json)
            return
    _prefect(paths)
    from flows.ingest import ingest as flow

    show.tell(flow(root, bring), show.ingested, paths, as_json=as_json)


@click.command()
@click.option("--rebuild", is_flag=True, help="Encode everything anew, also by another encoder.")
@json_option
@root_option
def embed(rebuild: bool, as_json: bool, root: Path) -> None:
    """Encode what is new or changed, retire what is gone."""
    from flows.cli import show
    from flows.state import staleness
    from tasks.core.encoding import base_table
    from tasks.core.settings.params import load_params

    paths = Paths(root)
    params = load_params(paths.params)
    if not paths.stamp("ingest").is_file():
        raise InputError("data/corpus: no corpus yet; expected one; run 'refract ingest'")
    verdict = staleness.embed_verdict(paths, params)
    if not rebuild:
        if not verdict.stale:
            show.nothing_to_do("embed", verdict.reason, as_json=as_json)
            return
        base_table.check_encoder(paths.base_table, params.embed)
    _prefect(paths)
    from flows.embed import embed as flow

    show.tell(flow(root, rebuild), show.embedded, as_json=as_json)


@click.command()
@click.argument("names", nargs=-1)
@click.option("--force", is_flag=True, help="Fit also what is up to date.")
@json_option
@root_option
def fit(names: tuple[str, ...], force: bool, as_json: bool, root: Path) -> None:
    """Fit a transform for each label file that changed."""
    from flows.cli import show
    from flows.state import staleness
    from tasks.core.settings.params import load_params

    paths = Paths(root)
    params = load_params(paths.params)
    if not (force and staleness.wanted_labels(paths, names)) and not staleness.any_fit(
        paths, params, names
    ):
        show.nothing_to_do("fit", "what can be fitted is up to date", as_json=as_json)
        _refuse_rejected(staleness.rejections(paths, params, names))
        return
    _prefect(paths)
    from flows.fit import fit as flow

    outcome = flow(root, list(names) or None, force)
    show.tell(outcome, show.fitted, tuple(outcome.rejected), as_json=as_json)
    _refuse_rejected(staleness.rejections(paths, params, names) | outcome.rejected)


def _refuse_rejected(rejected: dict[str, str]) -> None:
    """Print the label files that could not be used, and end with exit code 2.

    Not within `dvc repro`: the rejections are an output of its stage, and the other views go on.
    """
    if not rejected:
        return
    if "DVC_STAGE" in os.environ:
        for name, reason in rejected.items():
            click.echo(f"fit {name}: rejected, {reason}", err=True)
        return
    raise InputError("; ".join(rejected.values()))


@click.command()
@click.argument("names", nargs=-1)
@json_option
@root_option
def materialise(names: tuple[str, ...], as_json: bool, root: Path) -> None:
    """Write each view that is out of date.

    A new transform is applied to all base vectors, a known one to new rows only.
    """
    from flows.cli import show
    from flows.state import staleness
    from tasks.core.settings.params import load_params

    paths = Paths(root)
    params = load_params(paths.params)
    if not staleness.any_view(paths, params, names):
        show.nothing_to_do("materialise", "every view is up to date", as_json=as_json)
        return
    _prefect(paths)
    from flows.materialise import materialise as flow

    show.tell(flow(root, list(names) or None), show.materialised, as_json=as_json)


@click.command()
@click.option("--commit", is_flag=True, help="Record it in git as well: one commit, and tags.")
@json_option
@root_option
def run(commit: bool, as_json: bool, root: Path) -> None:
    """Ingest, embed, fit and materialise what is stale, then record it in DVC."""
    from flows.cli import show
    from flows.state import staleness
    from flows.state.status import read_status
    from flows.state.tracked_files import anything_uncommitted
    from flows.state.trust import ask, ask_recording
    from tasks.core.settings.params import load_params

    paths = Paths(root)
    params = load_params(paths.params)
    ask(paths, "sources", "model")
    ask_recording(paths, params)
    commit = commit or (params.record.commit == "always" and paths.in_dvc())
    if staleness.anything(paths, params) or (commit and anything_uncommitted(paths)):
        _prefect(paths)
        from flows.run import run as flow

        show.tell(flow(root, commit), show.ran, paths, as_json=as_json)
    else:
        show.nothing_to_do("run", "everything is up to date", as_json=as_json)
    _close(paths, read_status(paths, params), as_json=as_json)


def _close(paths: Paths, state: dict[str, Any], *, as_json: bool) -> None:
    """Show what is there after a run; InputError where none of the label files could be used."""
    from flows.cli import show_status
    from flows.state.staleness import REJECTED

    views = {name for name, about in state["instructions"].items() if about.get("rows")}
    if not as_json:
        show_status.status(state)
        show_status.next_steps(paths, sorted(views))
    reasons = [
        str(about["transform"]["reason"])
        for name, about in state["instructions"].items()
        if name not in views and about["transform"]["reason"].startswith(REJECTED)
    ]
    if reasons and not views:
        raise InputError(f"run: none of the label files could be used; {'; '.join(reasons)}")


def _prefect(paths: Paths) -> None:
    from flows.runtime.prefect_settings import settle

    settle(paths)
