"""The command line of versions: list them, go to one, bring one view back, compare two."""

from __future__ import annotations

from pathlib import Path

import click

from flows.cli.options import json_option, root_option
from tasks.core.workspace.paths import Paths


@click.command()
@click.argument("name", required=False)
@click.option("-n", "limit", type=click.IntRange(1), help="At most this many.")
@json_option
@root_option
def versions(name: str | None, limit: int | None, as_json: bool, root: Path) -> None:
    """Show what changed when: of view NAME, or of the workspace."""
    from flows.cli.show import version_tables
    from flows.queries.versions import recorded_commits, view_versions

    paths = Paths(root)
    if name is None:
        version_tables.commits(recorded_commits(paths, limit), as_json=as_json)
    else:
        version_tables.view(name, view_versions(paths, name, limit), as_json=as_json)


@click.command()
@click.argument("rev")
@json_option
@root_option
def checkout(rev: str, as_json: bool, root: Path) -> None:
    """Bring everything back as it was at REV, a tag, branch or commit."""
    from flows.checkout import checkout as bring_back
    from flows.cli.show import reports, version_tables

    reports.tell(bring_back(root, rev), version_tables.checked_out, as_json=as_json)


@click.command()
@click.argument("name")
@click.argument("version", required=False, metavar="[vN]")
@json_option
@root_option
def rollback(name: str, version: str | None, as_json: bool, root: Path) -> None:
    """Bring one view back to version vN, by default the one before.

    Its labels stay; it is held until they change, or until 'refract fit NAME --force'.
    """
    from flows.cli.show import reports, version_tables
    from flows.runtime.prefect_settings import settle
    from flows.state.tagged_versions import check_version
    from flows.state.trust import EXCHANGE, ask

    paths = Paths(root)
    ask(paths, *EXCHANGE)
    check_version(paths, name, version)
    settle(paths)
    from flows.rollback import rollback as flow

    reports.tell(flow(root, name, version), version_tables.rolled_back, as_json=as_json)


@click.command()
@click.argument("rev1")
@click.argument("rev2", required=False)
@click.option("--view", "names", multiple=True, help="Only this view; repeat for more.")
@json_option
@root_option
def diff(rev1: str, rev2: str | None, names: tuple[str, ...], as_json: bool, root: Path) -> None:
    """Compare REV1 with REV2, by default the workspace as it is.

    Shows scores, label counts, and the texts that moved: another label, other neighbours.
    """
    from flows.cli.show import version_tables
    from flows.queries.diff import diff as compare

    version_tables.differences(compare(root, rev1, rev2, names), as_json=as_json)
