"""The verbs that find texts by their meaning: by a query, and by a stored text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flows.cli.options import json_option, root_option
from tasks.core.text.discretion import shown
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.instruction_name import BASE

if TYPE_CHECKING:
    from flows.queries.finding.together import Together
    from flows.queries.workspace import View

_views = click.option(
    "--view",
    "names",
    multiple=True,
    metavar="NAME[=WEIGHT]",
    help="Instruction, or 'base'; repeat to compare, or with weights for one ranking by all. By"
    " default the only view.",
)
_many = click.option(
    "-k", type=click.IntRange(1, 10_000), default=10, show_default=True, help="How many texts."
)
_where = click.option(
    "--where", metavar="SQL", help='Keep rows for which this is true, e.g. "confidence > 0.8".'
)
_distinct = click.option(
    "--distinct", is_flag=True, help="Of texts that say the same, show the closest alone."
)
_passages = click.option(
    "--passages",
    is_flag=True,
    help="Of each text show the part closest to what was asked for; up to 100 texts.",
)


@click.command()
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@_views
@_many
@_where
@_distinct
@_passages
@json_option
@root_option
def search(
    texts: tuple[str, ...],
    names: tuple[str, ...],
    k: int,
    where: str | None,
    distinct: bool,
    passages: bool,
    as_json: bool,
    root: Path,
) -> None:
    """Find the texts closest to TEXT as each view sees it.

    '--view topic=0.7 --view emotion=0.3' is one ranking: the mean of the cosines by these weights.
    What is shown of a text, and what --where reads, is then what the first view says.
    """
    from flows.cli.show import reports

    more = {"distinct": distinct, "passages": passages}
    views = _opened(root, names)
    found = [
        (text, view.name, view.closest(text, k, where, **more)) for text in texts for view in views
    ]
    reports.hits(found, as_json=as_json)
    _remark(views, where)


@click.command()
@click.argument("key", metavar="ID")
@_views
@click.option(
    "--keep", "kept", multiple=True, metavar="NAME", help="A view in which texts are to be like it."
)
@click.option(
    "--with",
    "labels",
    multiple=True,
    metavar="NAME=LABEL",
    help="A view, and the label that texts are to have there.",
)
@_many
@_where
@_distinct
@_passages
@json_option
@root_option
def similar(
    key: str,
    names: tuple[str, ...],
    kept: tuple[str, ...],
    labels: tuple[str, ...],
    k: int,
    where: str | None,
    distinct: bool,
    passages: bool,
    as_json: bool,
    root: Path,
) -> None:
    """Find the neighbours of the stored text ID.

    '--keep topic --with emotion=grateful' finds texts that are like it in the view topic, and
    grateful in the view emotion. Several views in one ranking: as for search.
    """
    from flows.cli.show import reports

    more = {"distinct": distinct, "passages": passages}
    if kept or labels:
        views: Sequence[View | Together] = [_towards(root, names, kept, labels)]
    else:
        views = _opened(root, names)
    found = [(key, view.name, view.nearest(key, k, where, **more)) for view in views]
    reports.hits(found, as_json=as_json)
    _remark(views, where)


def _opened(root: Path, names: Sequence[str]) -> Sequence[View | Together]:
    """Return the views that were named, or, where they have weights, all of them as one.

    Where none was named the only view that there is, which is said; InputError that lists the
    views where there are several or none, and where some of those that were named have weights.
    """
    from flows.queries.workspace import Workspace

    workspace = Workspace(root)
    if not names:
        names = workspace.views
        if len(names) != 1:
            known = ", ".join((BASE, *names))
            raise InputError(
                f"no view named; expected --view and one of: {known}; repeat it to compare"
            )
        click.echo(
            f"seen by {names[0]}, the only view; '--view {BASE}' is the generic space", err=True
        )
    bare = [name for name in names if "=" not in name]
    if len(bare) == len(names):
        return [workspace.view(name) for name in names]
    if bare:
        raise InputError(
            f"--view {shown(bare[0])}: found no weight beside views that have one; expected a"
            " weight for each, which is one ranking, or for none, which compares"
        )
    return [workspace.together(_pairs("--view", names, "0.5"))]


def _remark(views: Sequence[View | Together], where: str | None) -> None:
    """Say on stderr which labels a filter names that a view has not."""
    for view in views:
        if remark := view.remark(where):
            click.echo(f"--where: {remark}", err=True)


def _towards(
    root: Path, names: Sequence[str], kept: Sequence[str], labels: Sequence[str]
) -> Together:
    from flows.queries.workspace import Workspace

    given = {"--view": names, "--keep": kept, "--with": labels}
    if names or not kept or not labels:
        there = " and ".join(option for option, said in given.items() if said)
        raise InputError(
            f"similar: found {there}; expected --keep NAME and --with NAME=LABEL, or --view;"
            f" '--keep {BASE}' is to be like it in the generic space"
        )
    weights = _pairs("--keep", [f"{name}=1" for name in kept], "1")
    return Workspace(root).together(weights, _pairs("--with", labels, "grateful"))


def _pairs(option: str, said: Sequence[str], such: str) -> dict[str, str]:
    """Return what stands behind '=' by the name before it; such: an example, for the message."""
    found: dict[str, str] = {}
    for each in said:
        name, equals, value = each.partition("=")
        if not equals or not value:
            raise InputError(
                f"{option} {shown(each)}: found nothing behind a '='; expected a view and what it"
                f" is to be, such as emotion={such}"
            )
        if name in found:
            raise InputError(f"{option} {shown(name)}: found it twice; expected each view once")
        found[name] = value
    return found
