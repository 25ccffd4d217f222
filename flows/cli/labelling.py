"""The verb that has a label file made from an instruction."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from flows.cli.options import Folder, json_option, root_option
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths


@click.command()
@click.argument("name")
@click.option("--instruction", metavar="TEXT", help="What the texts are to be seen by, in words.")
@click.option("--sample", type=click.IntRange(10, 1_000_000), help="How many texts are labelled.")
@click.option("--clusters", type=click.IntRange(2, 1_000), help="How many clusters are named.")
@click.option("--dry-run", is_flag=True, help="Print calls, tokens and money, and make no call.")
@click.option("--review", is_flag=True, help="Stop when the labels are found, to edit them.")
@click.option(
    "--taxonomy", type=Folder(), metavar="FILE", help="Sort into the labels in FILE, one a line."
)
@click.option(
    "--zero-shot",
    type=Folder(),
    metavar="FILE",
    help="Make weak labels without a model: by likeness to those in FILE.",
)
@json_option
@root_option
def label(
    name: str,
    instruction: str | None,
    sample: int | None,
    clusters: int | None,
    dry_run: bool,
    review: bool,
    taxonomy: Path | None,
    zero_shot: Path | None,
    as_json: bool,
    root: Path,
) -> None:
    """Have a language model make the label file NAME from an instruction."""
    from flows.cli.show import label_reports, reports
    from flows.label_options import LabelOptions, endpoint, fingerprint, label_verdict, make_job
    from flows.state.trust import ask
    from tasks.core.annotation.output import check_place
    from tasks.core.settings.params import load_params

    if sum((taxonomy is not None, zero_shot is not None, review)) > 1:
        raise InputError(
            "label: found more than one of --taxonomy, --zero-shot and --review; expected one at"
            " most; leave the others out"
        )
    paths = Paths(root)
    params = load_params(paths.params)
    options = LabelOptions(instruction, sample, clusters, taxonomy, zero_shot, review)
    weak = zero_shot is not None
    ask(paths, "links", "sources", "model", *([] if weak or dry_run else ["label"]))
    check_place(paths.label_file(name), paths.label_card(name), name, weak=weak)
    if dry_run or paths.stamp("embed").is_file():
        job = make_job(paths, params, name, options)
        if dry_run:
            from tasks.core.annotation.cost_estimate import forecast

            steps = [] if zero_shot is not None else forecast(job)
            reports.tell(steps, partial(label_reports.forecast, job), as_json=as_json)
            return
        verdict = label_verdict(paths, name, fingerprint(job))
        if not verdict.stale and not review:
            reports.nothing_to_do(f"label {name}", verdict.reason, as_json=as_json)
            return
    from flows.runtime.prefect_settings import settle

    settle(paths)
    if not weak:
        label_reports.asked(name, endpoint(params))
    from flows.label import label as flow

    reports.tell(flow(root, name, options), label_reports.labelled, options, paths, as_json=as_json)
