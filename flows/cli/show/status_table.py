"""What a person sees of the whole workspace: what is there, how good it is, what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import click

from flows.cli.show.reports import counts_of, remarked, unproven
from flows.cli.show.tables import Column, fits, print_table
from flows.state.staleness import REJECTED
from tasks.core.evaluation.measures import BRIEF, NOTABLE, v_by_chance
from tasks.core.evaluation.proof import PROVEN, UNPROVEN
from tasks.core.labels.notes import PLACED
from tasks.core.workspace.paths import Paths

RIGHT = ("right", "share of held-out texts that get their label")
LOW_CEILING = 99.5  # kNN@10 that is within a rounding of 100


def status(state: Mapping[str, Any]) -> None:
    for line in state["unfinished"]:
        click.echo(f"stopped halfway: {line}")
    corpus, vectors = state["corpus"], state["vectors"]
    click.echo(
        f"corpus: {corpus['texts']:,} texts from {corpus['sources']:,} files ({_verdict(corpus)})"
    )
    remarked(corpus["remarks"])
    if vectors["rows"]:
        click.echo(
            f"vectors: {vectors['rows']:,} of {vectors['dimensions']} dimensions by"
            f" {vectors['model']} in {vectors['precision']}, stored as {vectors['storage']}"
            f" ({_verdict(vectors)})"
        )
    if vectors["truncated"]:
        click.echo(
            f"  {vectors['truncated']:,} texts are longer than the model reads: their ends are left"
            " out (embed.max_length)"
        )
    if state["instructions"]:
        views(state["instructions"])
        for name, about in state["instructions"].items():
            if about["gate"]:
                unproven(f"{name} is ", about["gate"]["state"], about["gate"]["why"])
            why = str(about["transform"]["reason"])
            if why.startswith(REJECTED):
                click.echo(f"  {name} is {why}")
            for line in about["read_as"]:
                click.echo(f"  {name} was {line}")
            placed = {what: n for what, n in about["notes"].items() if what in PLACED}
            counts_of(placed, f"{name}, noted")
    else:
        click.echo(
            "views: none; put labels at data/labels/INSTRUCTION.csv (columns id,label or"
            " text,label), or name their column: refract fit INSTRUCTION --from-column COLUMN"
        )


def views(instructions: Mapping[str, Any]) -> None:
    """Print one line a view: how many held-out texts get their label, scores, state."""
    wide = fits(*_columns(instructions, both=True))
    print_table(
        f"views: {RIGHT[1]}; scores on held-out labels{', before → after' if wide else ''}",
        *_columns(instructions, both=wide),
    )
    for name, about in instructions.items():
        _ceiling(name, about)
        _chance(name, about)


def _columns(instructions: Mapping[str, Any], *, both: bool) -> list[Column]:
    """Return the columns about each instruction; both: scores before the fit as well as after."""
    every = instructions.values()
    counts = [about["labels"] for about in every]
    scores = [
        Column(title, [_scored(about, key, both=both) for about in every], "number")
        for key, title in BRIEF.items()
    ]
    return [
        Column("view", list(instructions)),
        Column(RIGHT[0], [right(about["accuracy"]) for about in every], "number"),
        *scores,
        Column("labels", [f"{len(each)}" for each in counts], "number", 3),
        Column("texts", [f"{about['texts'] or 0:,}" for about in every], "number", 2),
        Column("rows", [f"{about['rows']:,}" for about in every], "number", 1),
        Column("state", [_state(about) for about in every]),
    ]


def right(share: float | None) -> str:
    """Return which share of held-out texts, in percent, get their label, as people read it."""
    return "–" if share is None else f"{share:.0f} %"


def _scored(about: Mapping[str, Any], key: str, *, both: bool) -> str:
    after = about["after"]
    return shift(about["before"], after, key) if both else figure(after.get(key))


def _ceiling(name: str, about: Mapping[str, Any]) -> None:
    ceiling = about["knn_ceiling"]
    if ceiling is not None and ceiling < LOW_CEILING:
        click.echo(
            f"  {name}: kNN@10 can reach {ceiling:.1f} at most, some labels are on fewer than"
            " eleven held-out texts"
        )


def _chance(name: str, about: Mapping[str, Any]) -> None:
    texts, labels = about["held_out"] or 0, len(about["labels"])
    floor = v_by_chance(texts, labels)
    if floor >= NOTABLE and about["after"].get("v_measure") is not None:
        click.echo(
            f"  {name}: V-measure of {texts:,} held-out texts with {labels} labels is too high,"
            f" chance alone gives about {floor:.0f}"
        )


def shift(before: Mapping[str, Any], after: Mapping[str, Any], key: str) -> str:
    old, new = (part.get(key) if isinstance(part, dict) else None for part in (before, after))
    return "–" if old is None or new is None else f"{old:.1f} → {new:.1f}"


def figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _state(about: Mapping[str, Any]) -> str:
    for part in ("transform", "view"):
        verdict = about[part]
        if str(verdict["reason"]).startswith(REJECTED):
            return "rejected"
        if verdict["stale"] or verdict["reason"] != "up to date":
            return ("stale: " if verdict["stale"] else "") + str(verdict["reason"])
    unsure = about["gate"] and about["gate"]["state"] != PROVEN
    return UNPROVEN if unsure else "up to date"


def _verdict(about: Mapping[str, Any]) -> str:
    return ("stale: " if about["stale"] else "") + str(about["reason"])


def next_steps(paths: Paths, names: Sequence[str]) -> None:
    root = "" if str(paths.root) == "." else f" --root {shlex.quote(str(paths.root))}"
    name = next(iter(names), "base")
    beside = " --view base" if names else ""
    click.echo(
        "next:\n"
        f"  refract search 'some words to look for' --view {name}{beside} -k 5{root}\n"
        f"  refract similar ID --view {name}{root}\n"
        f"  refract export {name} {name}.parquet{root}\n"
        f"  labels for {'another' if names else 'an'} aspect: data/labels/NAME.csv with columns"
        " id,label or text,label, or 'refract label NAME'; then refract run"
    )
