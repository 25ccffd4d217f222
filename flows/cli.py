"""The command line. Nothing heavy is imported before it is known that something has to be done."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from tasks.core.errors import InputError
from tasks.core.paths import Paths
from tasks.repository import RepositoryError

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class _Folder(click.ParamType[Path]):
    name = "folder"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        return Path(value)


root_option = click.option(
    "--root", type=_Folder(), default=".", show_default=True, help="Folder of the workspace."
)


@click.group(context_settings=CONTEXT)
@click.version_option(package_name="refract")
def cli() -> None:
    """Embed once, see it by any instruction."""


@cli.command()
@click.argument("folder", type=_Folder())
@click.option("--git", is_flag=True, help="Make it a git + DVC repository.")
def init(folder: Path, git: bool) -> None:
    """Make a new workspace in FOLDER."""
    from flows.init import make_workspace

    for line in make_workspace(folder, git=git):
        click.echo(line)


@cli.command()
@click.argument("sources", nargs=-1)
@click.option("--replace", is_flag=True, help="Let SOURCES replace documents of the same name.")
@root_option
def ingest(sources: tuple[str, ...], replace: bool, root: Path) -> None:
    """Build the corpus from data/raw, after copying SOURCES there.

    SOURCES are files, folders and globs.
    """
    from flows import show, stale
    from tasks.core.documents import expand
    from tasks.core.incoming import incoming
    from tasks.core.params import load_params

    paths = Paths(root)
    params = load_params(paths.params)
    bring = incoming(sources, paths.raw, params.ingest.id, params.ingest.text, replace=replace)
    if not bring:
        files = expand(params.ingest.sources, root)
        verdict = stale.ingest_verdict(paths, stale.sources_fingerprint(paths, params, files))
        if not verdict.stale:
            show.nothing_to_do("ingest", verdict.reason)
            return
    _prefect(paths)
    from flows.ingest import ingest as flow

    show.ingested(flow(root, bring), paths)


@cli.command()
@click.option("--rebuild", is_flag=True, help="Encode everything anew, also by another encoder.")
@root_option
def embed(rebuild: bool, root: Path) -> None:
    """Encode what is new or changed, retire what is gone."""
    from flows import show, stale
    from tasks.core import base
    from tasks.core.params import load_params

    paths = Paths(root)
    params = load_params(paths.params)
    if not paths.stamp("ingest").is_file():
        raise InputError("data/corpus: no corpus yet; expected one; run 'refract ingest'")
    verdict = stale.embed_verdict(paths, params)
    if not rebuild:
        if not verdict.stale:
            show.nothing_to_do("embed", verdict.reason)
            return
        settings = stale.encoder_settings(params)
        base.check_encoder(paths.base_table, settings.fingerprint(), params.embed.storage)
    _prefect(paths)
    from flows.embed import embed as flow

    show.embedded(flow(root, rebuild))


@cli.command()
@click.argument("names", nargs=-1)
@click.option("--force", is_flag=True, help="Fit also what is up to date.")
@root_option
def fit(names: tuple[str, ...], force: bool, root: Path) -> None:
    """Fit a transform for each label file that changed."""
    from flows import show, stale
    from tasks.core.params import load_params

    paths = Paths(root)
    params = load_params(paths.params)
    if not (force and stale.wanted_labels(paths, names)) and not stale.any_fit(
        paths, params, names
    ):
        show.nothing_to_do("fit", "every transform is up to date")
        _refuse_rejected(stale.rejections(paths, params, names), names)
        return
    _prefect(paths)
    from flows.fit import fit as flow

    outcome = flow(root, list(names) or None, force)
    asked = names or (() if stale.fitted(paths) else tuple(outcome.rejected))
    show.fitted(outcome, silent=asked)
    _refuse_rejected(outcome.rejected, asked)


def _refuse_rejected(rejected: dict[str, str], asked: Sequence[str]) -> None:
    """End with exit code 2 if a file that was asked for could not be used."""
    reasons = [rejected[name] for name in asked if name in rejected]
    if reasons:
        raise InputError("; ".join(reasons))


@cli.command()
@click.argument("names", nargs=-1)
@root_option
def materialise(names: tuple[str, ...], root: Path) -> None:
    """Write each view that is out of date.

    A new transform is applied to all base vectors, a known one to new rows only.
    """
    from flows import show, stale
    from tasks.core.params import load_params

    paths = Paths(root)
    params = load_params(paths.params)
    if not stale.any_view(paths, params, names):
        show.nothing_to_do("materialise", "every view is up to date")
        return
    _prefect(paths)
    from flows.materialise import materialise as flow

    show.materialised(flow(root, list(names) or None))


@cli.command()
@root_option
def run(root: Path) -> None:
    """Do all four in order, then record it in DVC."""
    from flows import show, stale
    from flows.status import read_status
    from tasks.core.params import load_params

    paths = Paths(root)
    params = load_params(paths.params)
    if stale.anything(paths, params):
        _prefect(paths)
        from flows.run import run as flow

        show.ran(flow(root), paths)
    else:
        show.nothing_to_do("run", "everything is up to date")
    state = read_status(paths, params)
    show.status(state)
    show.next_steps(
        paths, [name for name, about in state["instructions"].items() if about.get("rows")]
    )


@cli.command()
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@click.option(
    "--view",
    "names",
    multiple=True,
    required=True,
    help="Instruction, or 'base'; repeat to compare.",
)
@click.option(
    "-k", type=click.IntRange(1, 10_000), default=10, show_default=True, help="How many texts."
)
@click.option(
    "--where", metavar="SQL", help='Keep rows for which this is true, e.g. "confidence > 0.8".'
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@root_option
def search(
    texts: tuple[str, ...],
    names: tuple[str, ...],
    k: int,
    where: str | None,
    as_json: bool,
    root: Path,
) -> None:
    """Find the texts closest to TEXT as each view sees it."""
    from flows import show
    from flows.workspace import Workspace

    views = [Workspace(root).view(name) for name in names]
    found = [(text, view.name, view.hits(text, k, where)) for text in texts for view in views]
    show.hits(found, as_json=as_json)


@cli.command()
@click.argument("key", metavar="ID")
@click.option(
    "--view",
    "names",
    multiple=True,
    required=True,
    help="Instruction, or 'base'; repeat to compare.",
)
@click.option(
    "-k", type=click.IntRange(1, 10_000), default=10, show_default=True, help="How many texts."
)
@click.option("--where", metavar="SQL", help="Keep rows for which this is true.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@root_option
def similar(
    key: str, names: tuple[str, ...], k: int, where: str | None, as_json: bool, root: Path
) -> None:
    """Find the neighbours of the stored text ID."""
    from flows import show
    from flows.workspace import Workspace

    views = [Workspace(root).view(name) for name in names]
    found = [(key, view.name, view.similar(key, k, where)) for view in views]
    show.hits(found, as_json=as_json)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@root_option
def status(as_json: bool, root: Path) -> None:
    """Show what is there, and what is stale and why."""
    from flows import show
    from flows.status import read_status
    from tasks.core.params import load_params

    paths = Paths(root)
    state = read_status(paths, load_params(paths.params))
    if as_json:
        click.echo(show.to_json(state))
    else:
        show.status(state)


@cli.command()
@click.argument("name")
@click.argument("file", type=_Folder())
@root_option
def export(name: str, file: Path, root: Path) -> None:
    """Write view NAME to FILE (.parquet or .npy).

    'base' is the generic space. An .npy file gets its ids beside it, as JSON.
    """
    from flows.workspace import Workspace

    rows = Workspace(root).view(name).export(file)
    click.echo(f"{file}: {rows:,} rows")


def _prefect(paths: Paths) -> None:
    from flows.prefect_settings import settle

    settle(paths)


def _refuse(message: str) -> NoReturn:
    click.echo("refract: " + " ".join(message.split()), err=True)
    sys.exit(2)


def main() -> None:
    """Run the command line; an expected error is one line on stderr and exit code 2."""
    os.environ.setdefault("LANCE_LOG", "error")  # its warnings are for those who write to it
    try:
        cli(standalone_mode=False)
    except InputError as error:
        _refuse(str(error))
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            sys.stderr.close()
            sys.exit(141)
        where = error.filename or "a file"
        _refuse(f"{where}: {error.strerror or error}; check the path and its permissions")
    except RepositoryError as error:
        click.echo(f"refract: not recorded: {error}; what was made is whole, repeat it", err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("refract: stopped; run the same command again to go on", err=True)
        sys.exit(130)
