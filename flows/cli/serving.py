"""The verbs that keep a workspace running."""

from __future__ import annotations

from pathlib import Path

import click

from flows.cli.options import json_option, root_option
from tasks.core.workspace.paths import Paths

_ENDED = {True: "ended", None: "ends with the command at work", False: "none"}


@click.command()
@click.option("--server", metavar="URL", help="Prefect API to serve at, e.g. http://host:4200/api.")
@root_option
def serve(server: str | None, root: Path) -> None:
    """Keep the workspace up to date by schedules and by its label files, until stopped."""
    from flows.serving.serve import serve as start
    from tasks.core.settings.params import load_params

    load_params(Paths(root).params)  # a mistake is told before anything starts
    start(root, server)


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    help="Port to listen at, 0 for any free one; by default that of params.yaml.",
)
@click.option("--no-browser", is_flag=True, help="Print the link, and open nothing.")
@root_option
def explore(port: int | None, no_browser: bool, root: Path) -> None:
    """Open the workspace in a browser, and answer programs by http, until stopped."""
    from flows.explore.start import explore as start

    start(root, port, browser=not no_browser)


@click.command()
@json_option
@root_option
def maintain(as_json: bool, root: Path) -> None:
    """Compact the tables and let earlier versions of them go."""
    from flows.cli.show import reports
    from flows.runtime.prefect_settings import settle
    from tasks.core.settings.params import load_params

    paths = Paths(root)
    commit = load_params(paths.params).record.commit == "always" and paths.in_dvc()
    settle(paths)
    from flows.maintain import maintain as flow

    reports.tell(flow(root, commit), reports.maintained, as_json=as_json)


@click.command()
@json_option
@root_option
def stop(as_json: bool, root: Path) -> None:
    """End what stays for the next command.

    The workspace's private Prefect server, and the process that runs commands, which is the same
    for all your workspaces. A 'refract serve' goes on; end that where it runs.
    """
    from flows.cli.show import reports
    from flows.runtime.server.private_server import stop_private
    from flows.warm.start import end_all

    ended, many = stop_private(Paths(root)), end_all()
    if as_json:
        reports.print_json({"server": _ENDED[ended], "processes": many})
        return
    if ended is None:
        click.echo("stop: a command is at work; Prefect's server ends with it")
    elif ended:
        click.echo("stop: ended Prefect's server")
    if many:
        click.echo("stop: ended the process that runs commands")
    if ended is False and not many:
        click.echo("stop: nothing ran")
