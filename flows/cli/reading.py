"""The verbs that look at what is there."""

from __future__ import annotations

from pathlib import Path

import click

from flows.cli.options import Folder, json_option, root_option
from tasks.core.workspace.paths import Paths


@click.command()
@json_option
@root_option
def status(as_json: bool, root: Path) -> None:
    """Show what is there, and what is stale and why."""
    from flows.cli.show import reports, status_table
    from flows.state.status import read_status
    from tasks.core.settings.params import load_params

    paths = Paths(root)
    state = read_status(paths, load_params(paths.params))
    if as_json:
        reports.print_json(state.to_json())
    else:
        status_table.status(state)


@click.command()
@click.argument("name", required=False)
@json_option
@root_option
def report(name: str | None, as_json: bool, root: Path) -> None:
    """Draw view NAME on one page for a browser, and as a picture; by default every view.

    The pages need no network: they can be mailed, and opened anywhere.
    """
    from flows.cli.show import reports
    from flows.queries.report import report as draw

    written = draw(root, name)
    if as_json:
        reports.print_json({"written": written})
        return
    for path in written:
        click.echo(path)


@click.command()
@click.argument("name")
@click.argument("file", type=Folder())
@click.option(
    "--map", "mapped", is_flag=True, help="With columns x and y: the places on the view's map."
)
@json_option
@root_option
def export(name: str, file: Path, mapped: bool, as_json: bool, root: Path) -> None:
    """Write view NAME to FILE: .parquet, .csv or .npy, or a folder.

    'base' is the generic space. A .csv has no vectors; an .npy file gets its ids beside it, as
    JSON; a name without an ending becomes a folder with a Hugging Face dataset and its card.
    """
    from flows.cli.show import reports
    from flows.queries.workspace import Workspace

    rows = Workspace(root).view(name).export(file, mapped=mapped)
    if file.suffix == ".csv":
        from flows.cli.show.judgements import quotes
        from tasks.core.text.formulas import quoted

        quotes("export", quoted(file), "a name in .parquet")
    if as_json:
        reports.print_json({"file": file, "rows": rows})
    else:
        click.echo(f"{file}: {rows:,} rows{'' if file.suffix else ', a Hugging Face dataset'}")
