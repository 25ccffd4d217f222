"""What a person sees of a labelling."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from flows.cli.show.tables import Column, print_table
from tasks.core.workspace.paths import Paths

if TYPE_CHECKING:
    from flows.label import LabelReport
    from flows.label_options import LabelOptions
    from tasks.core.annotation.answer_cache import Spent
    from tasks.core.annotation.cost_estimate import Forecast
    from tasks.core.annotation.job import LabelJob
    from tasks.core.llm.client import Endpoint

LISTED = 12  # labels shown; the card has them all
LOPSIDED = 0.9  # share of the texts from which a label is doubted


def forecast(job: LabelJob, steps: Sequence[Forecast]) -> None:
    """Print what each step of a labelling would still ask, and what that costs."""
    from tasks.core.annotation.evident import said

    if job.listed:
        click.echo(f"label {job.name}: {said(job.listed)}", err=True)
    numbers = [(step.calls, step.tokens_in, step.tokens_out) for step in steps]
    money = [step.usd for step in steps]
    sums = [sum(column) for column in zip(*numbers, strict=True)] or [0, 0, 0]
    rows = [*numbers, sums]
    print_table(
        f"label {job.name}: what is left to ask",
        Column("step", [*(step.step for step in steps), "all"]),
        *(
            Column(title, [f"{row[at]:,}" for row in rows], "number")
            for at, title in enumerate(("calls", "tokens sent", "tokens answered"))
        ),
        Column("USD", [f"{usd:,.2f}" for usd in (*money, sum(money))], "number"),
    )
    priced = job.settings.usd_in or job.settings.usd_out
    prices = "" if priced else "; set label.usd_in and label.usd_out to see money"
    click.echo(f"Reckoned with four bytes a token, without repetitions{prices}.")


def asked(name: str, endpoint: Endpoint) -> None:
    """Say before the first call where texts go, and whose key."""
    from tasks.core.llm.keys import key_in

    key = (
        f"the key in {endpoint.settings.key_env}"
        if key_in(endpoint.settings.key_env)
        else f"no key ({endpoint.settings.key_env})"
    )
    click.echo(f"label {name}: texts go to {endpoint.host}, with {key}", err=True)


def labelled(report: LabelReport, options: LabelOptions, paths: Paths) -> None:
    """Print what each step of a labelling has done, its labels, its cost, and what to do next."""
    for step in report.steps:
        known = f", {step.known:,} of them known before" if step.known else ""
        click.echo(f"label {report.name}: {step.step} {step.done:,} of {step.wanted:,}{known}")
        for reason, count in step.reasons.items():
            click.echo(f"  {count:,} {reason}")
    _labels(report.labels)
    for note, count in report.notes.items():
        click.echo(f"  {note}: {count:,}")
    if report.trouble:
        click.echo(f"  other files: {report.trouble}")
    if report.spent is not None:
        _spent(report, report.spent)
    place = paths.inside(report.file)
    if report.review:
        click.echo(f"{place}: the labels; edit them, then: {_again(report, options)}")
    else:
        click.echo(f"{place}: {sum(report.labels.values()):,} labels; next: refract run")
        if report.steps[-1].unasked:
            click.echo("the budget ended first: raise it and run the same command for the rest")


def _again(report: LabelReport, options: LabelOptions) -> str:
    """Return the command that sorts the same texts into the labels that were edited."""
    given = {
        "--taxonomy": report.file,
        "--instruction": options.instruction,
        "--sample": options.sample,
        "--clusters": options.clusters,
    }
    words = [[name, str(value)] for name, value in given.items() if value is not None]
    return shlex.join(["refract", "label", report.name, *itertools.chain(*words)])


def _labels(counts: Mapping[str, int]) -> None:
    most = sorted(counts.items(), key=lambda item: -item[1])
    said = [f"{name} {count:,}" for name, count in most[:LISTED]]
    more = f" and {len(most) - LISTED} more" if len(most) > LISTED else ""
    if said:
        click.echo(f"  labels: {', '.join(said)}{more}")
        if 0 < LOPSIDED * sum(counts.values()) <= most[0][1]:
            click.echo(
                f"  nearly all texts are {most[0][0]}, of which a view would say little; if they"
                " are not, name the labels by --taxonomy, with descriptions"
            )


def _spent(report: LabelReport, spent: Spent) -> None:
    from tasks.core.annotation.requests import MOST_ROOM
    from tasks.core.llm.answers import CUT, THINKING

    bad = {kind: n for kind, n in spent.outcomes.items() if kind != "answered"}
    failed = f" ({', '.join(f'{n:,} × {kind}' for kind, n in bad.items())})" if bad else ""
    cut = any(CUT in kind or THINKING in kind for kind in bad)
    money = f", ${spent.usd:,.2f}" if spent.usd else ""
    click.echo(
        f"  in all {spent.calls:,} calls{failed}, {spent.tokens_in:,} tokens sent,"
        f" {spent.tokens_out:,} answered{money}; this run {report.seconds:.1f} s"
    )
    if cut:
        click.echo(
            f"  answers that were cut were asked again with up to {MOST_ROOM} times the tokens;"
            " a higher label.max_tokens saves these calls"
        )
