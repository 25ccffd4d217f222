"""What a person sees of versions in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click
from rich.table import Table

from flows.cli.show import (
    materialised,
    new_console,
    new_table,
    print_json,
    recorded,
    shift,
    short,
)
from flows.queries.versions import RecordedCommit, ViewVersion
from tasks.core.evaluation.measures import BRIEF

LEFT = 5  # outputs of the user's own that are named


def commits(rows: Sequence[RecordedCommit], *, as_json: bool) -> None:
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    if not rows:
        click.echo("versions: none recorded in git yet; run 'refract run --commit'")
        return
    made = new_table("recorded versions, newest first; * is here")
    for title in ("", "date", "commit"):
        made.add_column(title, no_wrap=True)
    made.add_column("texts", justify="right", no_wrap=True)
    made.add_column("what changed")
    for row in rows:
        tags = "".join(f"\n{tag}" for tag in row.tags)
        made.add_row(
            "*" if row.here else "",
            _date(row.date),
            row.commit[:7],
            _count(row.texts),
            row.message + tags,
        )
    new_console().print(made)


def view(name: str, rows: Sequence[ViewVersion], *, as_json: bool) -> None:
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    made = new_table(f"versions of {name}, newest first; * is here; scores in the view")
    for title in ("", "date", "commit", "tag"):
        made.add_column(title, no_wrap=True)
    for title in ("texts", "labels"):
        made.add_column(title, justify="right", no_wrap=True)
    made.add_column("method", no_wrap=True)
    for title in BRIEF.values():
        made.add_column(title, justify="right", no_wrap=True)
    for row in rows:
        made.add_row(
            "*" if row.here else "",
            _date(row.date),
            row.commit[:7],
            _version(row),
            _count(row.texts),
            _count(row.labels),
            row.method or "removed",
            *(_score(row.after.get(key)) for key in BRIEF),
        )
    new_console().print(made)


def checked_out(report: Any) -> None:
    where = f"branch {report.branch}" if report.branch else "no branch (HEAD is detached)"
    how = "fetched what the cache lacked" if report.fetched else "all of it was in the cache"
    click.echo(f"checkout {report.rev}: at {report.commit[:7]}, {where}; {how}")
    for output in report.left[:LEFT]:
        click.echo(f"  left to you: {output} (not Refract's; 'dvc checkout {output}' lays it out)")
    if len(report.left) > LEFT:
        click.echo(f"  left to you: {len(report.left) - LEFT} more outputs")
    if report.branch is None:
        click.echo("  back: 'refract checkout main'; to go on from here: 'git switch -c NAME'")


def rolled_back(report: Any) -> None:
    click.echo(
        f"rollback {report.name}: {report.was} → {report.version}, {report.source}; held until its"
        f" labels change, or 'refract fit {report.name} --force'"
    )
    materialised(report.views)
    recorded(report.record)


def differences(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    old, new = found["from"], found["to"]
    click.echo(
        f"{old['rev']} → {new['rev']}: {_count(old['texts'])} → {_count(new['texts'])} texts"
    )
    new_console().print(_overview(found["views"]))
    for name, about in found["views"].items():
        if about.get("moved", {}).get("texts"):
            new_console().print(_moved(name, about["moved"]))


def _overview(views: Mapping[str, Any]) -> Table:
    made = new_table("views, earlier → later; kept: share of the nearest neighbours")
    for title in ("view", "what"):
        made.add_column(title, no_wrap=True)
    for title in ("labels", *BRIEF.values(), "relabelled", "kept"):
        made.add_column(title, justify="right", no_wrap=True)
    for name, about in views.items():
        old, new = about["sides"]
        moved = about.get("moved", {})
        kept = moved.get("neighbours_kept")
        made.add_row(
            name,
            about["state"],
            f"{_count(old.get('labels'))} → {_count(new.get('labels'))}",
            *(shift(old.get("after", {}), new.get("after", {}), key) for key in BRIEF),
            _count(moved.get("labels_changed")),
            "–" if kept is None else f"{kept:.0%}",
        )
    return made


def _moved(name: str, moved: Mapping[str, Any]) -> Table:
    many = f"{moved['compared']:,} texts that both have"
    if moved["compared"] < moved["common"]:
        many = f"a seeded sample of {moved['compared']:,} of {moved['common']:,} texts"
    made = new_table(f"{name}: what moved most, nearest {moved['k']} among {many}")
    for title in ("id", "label", "kept"):
        made.add_column(title, no_wrap=True)
    made.add_column("text")
    for text in moved["texts"]:
        old, new = text["label"]
        kept = text["neighbours_kept"]
        made.add_row(
            text["id"],
            old if old == new else f"{old} → {new}",
            "–" if kept is None else f"{kept:.0%}",
            short(text["text"], 120),
        )
    return made


def _version(row: ViewVersion) -> str:
    tags = [tag.rpartition("/")[2] for tag in (row.tag, row.same_as) if tag]
    return " = ".join(tags)


def _date(text: str) -> str:
    return text[2:16].replace("T", " ")


def _score(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"
