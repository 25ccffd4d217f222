"""The verb by which a user agrees to what a workspace from elsewhere does."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from flows.cli.options import json_option, root_option
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths


@click.command()
@click.argument("rev", required=False)
@click.option("--yes", is_flag=True, help="Agree without being asked.")
@click.option("--forget", is_flag=True, help="Take the agreement back.")
@json_option
@root_option
def trust(rev: str | None, yes: bool, forget: bool, as_json: bool, root: Path) -> None:
    """Show what a workspace that came from elsewhere would do, and agree to it.

    What sends something, starts programs, or reads and writes elsewhere is refused until then,
    and again when it changes. With REV: what that version would do as well. With --json it is
    shown only.
    """
    from flows.cli.show.reports import print_json
    from flows.state import trust as trusting
    from tasks.core.settings.params import load_params
    from tasks.core.workspace.trusting import forget_trust

    paths = Paths(root)
    if forget:
        click.echo("trust: taken back" if forget_trust(paths) else "trust: there was none")
        return
    load_params(paths.params)
    found = trusting.reaches(paths)
    if rev is not None:
        from flows.checkout import reaches_at

        found += [reach for reach in reaches_at(paths, rev) if reach not in found]
    new = trusting.strangers(paths, found)
    if as_json:
        print_json([{"what": reach.says, "agreed": reach not in new} for reach in found])
        return
    for reach in found:
        click.echo(f"  {'new' if reach in new else 'agreed'}: {reach.says}")
    if not found:
        click.echo("trust: nothing to agree to; it keeps to its own files")
    elif not new or trusting.is_own(paths):
        click.echo("trust: agreed to, or made here; nothing to ask")
    else:
        if not yes:
            _confirm(len(new))
        trusting.agree(paths, found)
        click.echo(f"trust: noted for {paths.root.resolve()}")


def _confirm(many: int) -> None:
    if not sys.stdin.isatty():
        raise InputError(
            f"trust: {many} things to agree to, and nobody to ask; expected a terminal, or --yes"
        )
    if not click.confirm("Let it do so?", default=False):
        raise InputError("trust: not agreed to; nothing was noted")
