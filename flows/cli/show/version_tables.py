"""What a person sees of versions in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from flows.cli.show.reports import materialised, print_json, recorded
from flows.cli.show.status_table import RIGHT
from flows.cli.show.tables import Column, fits, print_table
from flows.queries.versions import RecordedCommit, ViewVersion
from tasks.core.evaluation.measures import BRIEF
from tasks.core.text.brief import NONE, figure, percent, shift, short
from tasks.core.text.ids import short_id

if TYPE_CHECKING:
    from flows.checkout import CheckedOut
    from flows.queries.diff import Difference, MovedTexts, ViewDifference
    from flows.rollback import RolledBack

LEFT = 5  # outputs of the user's own that are named
NARROW = 120  # characters of a text beside its movement


def commits(rows: Sequence[RecordedCommit], *, as_json: bool) -> None:
    """Print the recorded versions of the workspace."""
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    if not rows:
        click.echo("versions: none recorded in git yet; run 'refract run --commit'")
        return
    print_table(
        f"recorded versions, newest first; {_mark(rows)}",
        Column("", _here(rows), "number"),
        Column("date", [_date(row.date) for row in rows], "code"),
        Column("commit", [row.commit[:7] for row in rows], "code"),
        Column("texts", [_count(row.texts) for row in rows], "number", 1),
        Column("what changed", ["\n".join((row.message, *row.tags)) for row in rows], "words"),
    )


def view(name: str, rows: Sequence[ViewVersion], *, as_json: bool) -> None:
    """Print the recorded versions of view `name`, with their scores."""
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    print_table(
        f"versions of {name}, newest first; {_mark(rows)}; scores in the view",
        Column("", _here(rows), "number"),
        Column("date", [_date(row.date) for row in rows], "code", 1),
        Column("commit", [row.commit[:7] for row in rows], "code"),
        Column("tag", [_version(row) for row in rows]),
        Column("texts", [_count(row.texts) for row in rows], "number", 4),
        Column("labels", [_count(row.labels) for row in rows], "number", 3),
        Column("method", [_method(row) for row in rows], "name", 2),
        Column(RIGHT[0], [percent(row.right) for row in rows], "number"),
        *(
            Column(title, [figure(row.after.get(key)) for row in rows], "number")
            for key, title in BRIEF.items()
        ),
    )


def _method(row: ViewVersion) -> str:
    without = f"\nwithout {', '.join(row.without)}" if row.without else ""
    return f"{row.method or 'removed'}{without}"


def _here(rows: Sequence[RecordedCommit | ViewVersion]) -> list[str]:
    return ["*" if row.here else "" for row in rows]


def _mark(rows: Sequence[RecordedCommit | ViewVersion]) -> str:
    return "* is here" if any(row.here for row in rows) else "none of these is here"


def checked_out(report: CheckedOut) -> None:
    """Print where a checkout has led, and what it left to the user."""
    where = f"branch {report.branch}" if report.branch else "no branch (HEAD is detached)"
    how = "fetched what the cache lacked" if report.fetched else "all of it was in the cache"
    click.echo(f"checkout {report.rev}: at {report.commit[:7]}, {where}; {how}")
    for output in report.left[:LEFT]:
        click.echo(f"  left to you: {output} (not Refract's; 'dvc checkout {output}' lays it out)")
    if len(report.left) > LEFT:
        click.echo(f"  left to you: {len(report.left) - LEFT} more outputs")
    if report.branch is None:
        click.echo("  back: 'refract checkout main'; to go on from here: 'git switch -c NAME'")


def rolled_back(report: RolledBack) -> None:
    """Print which version came back, and until when it is held."""
    click.echo(
        f"rollback {report.name}: {report.was} → {report.version}, {report.source}; held until its"
        f" labels change, or 'refract fit {report.name} --force'"
    )
    materialised(report.views)
    recorded(report.record)


def differences(found: Difference, *, as_json: bool) -> None:
    """Print what two versions differ in: a line a view, then the texts that moved."""
    if as_json:
        print_json(found.to_json())
        return
    old, new = found.old, found.new
    click.echo(f"{old.rev} → {new.rev}: {_count(old.texts)} → {_count(new.texts)} texts")
    _overview(found.views)
    for name, about in found.views.items():
        if about.moved is not None and about.moved.texts:
            _moved(name, about.moved)


def _overview(views: Mapping[str, ViewDifference]) -> None:
    wide = fits(*_columns(views, both=True))
    print_table(
        f"views, {'earlier → ' if wide else ''}later; kept: share of the nearest neighbours",
        *_columns(views, both=wide),
    )


def _columns(views: Mapping[str, ViewDifference], *, both: bool) -> list[Column]:
    """Return the columns about each view; both: earlier scores as well as later ones."""
    sides = [about.sides for about in views.values()]
    moved = [about.moved for about in views.values()]
    counts = [f"{_count(old.labels)} → {_count(new.labels)}" for old, new in sides]

    def scores(key: str) -> list[str]:
        after = [(old.after.get(key), new.after.get(key)) for old, new in sides]
        return [shift(was, now) if both else figure(now) for was, now in after]

    return [
        Column("view", list(views)),
        Column("what", [about.state for about in views.values()]),
        Column("labels", counts, "number", 2),
        *(Column(title, scores(key), "number") for key, title in BRIEF.items()),
        Column(
            "relabelled",
            [_count(each.labels_changed if each else None) for each in moved],
            "number",
            1,
        ),
        Column(
            "kept", [_share(each.neighbours_kept if each else None) for each in moved], "number"
        ),
    ]


def _moved(name: str, moved: MovedTexts) -> None:
    many = f"{moved.compared:,} texts that both have"
    if moved.compared < moved.common:
        many = f"a seeded sample of {moved.compared:,} of {moved.common:,} texts"
    texts = moved.texts
    print_table(
        f"{name}: what moved most, nearest {moved.k} among {many}",
        Column("id", [short_id(text.id) for text in texts]),
        Column("label", [_relabelled(*text.label) for text in texts]),
        Column("kept", [_share(text.neighbours_kept) for text in texts], "number"),
        Column("text", [short(text.text, NARROW) for text in texts], "words"),
    )


def _relabelled(old: str, new: str) -> str:
    return old if old == new else f"{old} → {new}"


def _share(value: float | None) -> str:
    return percent(None if value is None else 100 * value)


def _version(row: ViewVersion) -> str:
    tags = [tag.rpartition("/")[2] for tag in (row.tag, row.same_as) if tag]
    return " = ".join(tags)


def _date(text: str) -> str:
    return text[2:16].replace("T", " ")


def _count(value: int | None) -> str:
    return NONE if value is None else f"{value:,}"
