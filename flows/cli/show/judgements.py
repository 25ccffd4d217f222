"""What a person sees of a judgement, and the label file that waits to be filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from flows.cli.show.reports import FEW, print_json, short
from flows.cli.show.tables import Column, print_table
from flows.cli.terminal import give
from tasks.core.evaluation.measures import MEASURES
from tasks.core.labels.exports.labelling_tasks import FORMATS, interface
from tasks.core.text.formulas import neutral
from tasks.core.text.ids import short_id

if TYPE_CHECKING:
    import polars as pl


def evaluation(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    click.echo(
        f"{found['view']} ({found['method']}): {found['texts']:,} texts with {found['labels']}"
        f" labels, {found['on']}"
    )
    click.echo(f"  {_right(found['accuracy'])}")
    if found["experts"]:
        click.echo(f"  experts: {_experts(found['experts'])}")
    if found["left_out"]:
        listed = ", ".join(f"{reason} {n:,}" for reason, n in found["left_out"].items())
        click.echo(f"  left out: {listed}")
    if found["noted"]:
        listed = ", ".join(f"{what} {n:,}" for what, n in found["noted"].items())
        click.echo(f"  noted: {listed}")
    if found["texts"] < FEW:
        click.echo(f"  scores are rough: {found['texts']} texts; label more")
    _table(found)
    click.echo(_previous(found["previous"]))


def _right(accuracy: Mapping[str, float]) -> str:
    before = accuracy.get("previous")
    was = "" if before is None else f" ({before:.0f} % in the previous version)"
    return f"{accuracy['view']:.0f} % get their label{was}"


def _experts(experts: list[dict[str, Any]]) -> str:
    """Say what each weighs, and what the log-loss of texts left out would be more without it."""
    kept = [each for each in experts if each["weight"]]
    if len(kept) == 1:
        return f"{kept[0]['expert']} alone; the others save nothing beside it"
    said = [f"{each['expert']} {each['weight']:.2f} (saves {each['saves']:.3f})" for each in kept]
    return ", ".join([*said, *(f"{each['expert']} –" for each in experts if not each["weight"])])


def _table(found: Mapping[str, Any]) -> None:
    print_table(
        f"figures × 100, {found['interval']}",
        Column("", list(MEASURES.values())),
        *(
            Column(name, [_figure(scores[measure]) for measure in MEASURES], "number")
            for name, scores in found["scores"].items()
        ),
        *(
            Column(f"over {name}", [_figure(gains[m], "+") for m in MEASURES], "number", 1)
            for name, gains in found["gains"].items()
        ),
    )


def _figure(figure: Mapping[str, float] | None, sign: str = "") -> str:
    if figure is None:
        return "–"
    value, low, high = (figure[key] for key in ("value", "low", "high"))
    return f"{value:{sign}.1f}\n{low:{sign}.1f} to {high:{sign}.1f}"


def _previous(about: Mapping[str, Any]) -> str:
    if "not_compared" in about:
        return f"previous version: not compared, {about['not_compared']}"
    return (
        f"previous version: {about['method']} on {about['texts']:,} labelled texts"
        f" (transform {about['transform'][:8]})"
    )


def doubts(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    name, rows = found["instruction"], found["rows"]
    left = f"; {found['not_asked']:,} could not be left out" if found["not_asked"] else ""
    click.echo(
        f"{name}: {found['doubted']:,} of {found['asked']:,} labels are in doubt: others are"
        f" far likelier by fits that have not seen the text{left}"
    )
    if not rows:
        return
    print_table(
        "the most doubtful first, with both probabilities",
        Column("label", [f"{', '.join(row['label'])} {row['p_label']:.2f}" for row in rows]),
        Column("likelier", [f"{row['likelier']} {row['p_likelier']:.2f}" for row in rows]),
        Column("id", [short_id(str(row["id"])) for row in rows]),
        Column("text", [short(row["text"]) for row in rows], "words"),
    )
    click.echo("correct those that are wrong where your labels are, then: refract run")


def suggestions(rows: pl.DataFrame, form: str, name: str = "", labels: Sequence[str] = ()) -> None:
    if form == "csv":
        give(neutral(rows).write_csv(float_precision=3))
    elif form == "jsonl":
        give(rows.write_ndjson())
    else:
        give(FORMATS[form](rows.to_dicts(), name, labels))
    if form == "label-studio":
        click.echo(f"labelling interface for it: {interface(name, labels)}", err=True)
