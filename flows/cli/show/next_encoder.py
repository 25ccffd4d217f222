"""What a person sees of an encoder that is to follow the one at work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from flows.cli.show.reports import print_json
from flows.migration.upcoming import described
from tasks.core.evaluation.measures import MEASURES

if TYPE_CHECKING:
    from flows.migrate import MigrationReport
    from tasks.core.settings.params import Params


def migrated(report: MigrationReport) -> None:
    """Print whether the next encoder is at work now, and how each view does by both."""
    done = "is at work now" if report.turned else "is ready; the one before still answers"
    click.echo(
        f"embed: the next encoder ({described(report.settings)}) {done}: {report.rows:,} base"
        f" vectors of {report.dimensions} dimensions ({report.seconds:.1f} s)"
    )
    for view in report.views:
        figures = [
            f"{title} {view.before[key]:.1f} → {view.after[key]:.1f}"
            for key, title in MEASURES.items()
            if None not in (view.before.get(key), view.after.get(key))
        ]
        click.echo(f"  {view.name}: {', '.join(figures) or 'made anew'}")
    if report.turned:
        click.echo("to record it: refract run")
    else:
        click.echo("to turn over: refract embed --migrate; to give it up: refract embed --call-off")


def turned(*, as_json: bool) -> None:
    """Print that a turn to the next encoder, which was stopped halfway, is finished."""
    if as_json:
        print_json({"turned": True})
        return
    click.echo("embed: the next encoder is at work now: a turn that was stopped is finished")
    click.echo("to record it: refract run")


def called_off(there: bool, params: Params, *, as_json: bool) -> None:
    """Print whether anything of the next encoder was given up."""
    if as_json:
        print_json({"called_off": there})
        return
    click.echo(f"embed: {'given up' * there}{'nothing to give up' * (not there)}")
    if params.embed.next is not None:
        click.echo("  embed.next still names it; set it to null in params.yaml")
