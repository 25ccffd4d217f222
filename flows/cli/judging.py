"""The verbs that judge a view: how good it is, and which labels would make it better."""

from __future__ import annotations

from pathlib import Path

import click

from flows.cli.options import Folder, json_option, root_option
from tasks.core.workspace.paths import Paths


@click.command()
@click.argument("name")
@click.option("--truth", type=Folder(), metavar="FILE", help="Score these labels instead.")
@click.option("--out", type=Folder(), metavar="FILE", help="Write the JSON there as well.")
@json_option
@root_option
def evaluate(name: str, truth: Path | None, out: Path | None, as_json: bool, root: Path) -> None:
    """Score view NAME on labels it has not seen, with 95 % intervals.

    Beside the base vectors and its previous version. By default on the labels that its own fit
    holds out; with --truth on a label file of its own, in any format that data/labels takes.
    """
    from flows.cli.show import judgements
    from flows.queries.evaluate import write_evaluation
    from flows.queries.workspace import Workspace

    found = Workspace(root).view(name).evaluate(truth)
    if out is not None:
        write_evaluation(Paths(root), out, found)
    judgements.evaluation(found, as_json=as_json)


@click.command()
@click.argument("name")
@click.option(
    "-n",
    "many",
    type=click.IntRange(1, 1_000),
    default=50,
    show_default=True,
    help="How many texts.",
)
@click.option(
    "--novel",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="Of texts that look like no label, by default 0.2; the others lie near a boundary.",
)
@click.option(
    "--random",
    "at_random",
    is_flag=True,
    help="Any texts, each as likely as another: labels of such prove a view soonest.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl", "label-studio", "doccano", "prodigy"]),
    default="csv",
    show_default=True,
    help="A label file to fill in, or tasks that a labelling tool takes in.",
)
@root_option
def suggest(
    name: str, many: int, novel: float | None, at_random: bool, form: str, root: Path
) -> None:
    """Print the texts that are worth labelling next for NAME, as a label file to fill in.

    Where there is no view NAME yet, texts that together cover the corpus, to begin with. None is
    labelled already, and no two are alike. Fill in the column `label`; id and label are the first
    two columns, ready to be appended to the label file. With --format label-studio, doccano or
    prodigy: tasks for that tool; put its export into data/labels/NAME.
    """
    from flows.cli.show import judgements
    from flows.queries.workspace import Workspace
    from tasks.core.text.near_names import listed

    workspace = Workspace(root)
    rows = workspace.suggest(name, many, novel, random=at_random)
    known = name in workspace.views
    if not known and not at_random:
        views = listed(name, workspace.views)
        click.echo(
            f"suggest: there is no view {name!r} yet; these cover the corpus; known: {views}",
            err=True,
        )
    judgements.suggestions(rows, form, name, workspace.view(name).labels if known else [])


@click.command()
@click.argument("name")
@click.option(
    "--limit", type=click.IntRange(0, 100_000), default=20, show_default=True, help="How many rows."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@root_option
def doubts(name: str, limit: int, as_json: bool, root: Path) -> None:
    """List the labels of NAME that are probably wrong, the most doubtful first.

    Each text is left out in turn: listed are those for which another label is ten times as likely
    as their own, and as likely as for the texts that carry it.
    """
    from flows.cli.show import judgements
    from flows.queries.doubts import doubts as query
    from tasks.core.settings.params import load_params

    paths = Paths(root)
    found = query(paths, load_params(paths.params), name, limit)
    judgements.doubts(found, as_json=as_json)
