"""What a person sees of a judgement, and the label file that waits to be filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from flows.cli.show.reports import FEW, WIDTH, print_json, unproven
from flows.cli.show.tables import Column, print_table
from flows.cli.terminal import give
from flows.queries.evaluation import Evaluation, NotCompared, Previous
from tasks.core.evaluation.measures import MEASURES
from tasks.core.labels.exports.labelling_tasks import FORMATS, interface
from tasks.core.text.brief import NONE, percent, short
from tasks.core.text.formulas import formulas, neutral
from tasks.core.text.ids import short_id

if TYPE_CHECKING:
    import polars as pl

    from flows.queries.doubts import DoubtedLabels
    from tasks.core.evaluation.bootstrap import Interval
    from tasks.core.settings.calibrated import Worth


def evaluation(found: Evaluation, *, as_json: bool) -> None:
    """Print how good a view is: the share that gets its label, the experts, scores and gains."""
    if as_json:
        print_json(found.to_json())
        return
    click.echo(
        f"{found.view} ({found.method}): {found.texts:,} texts with {found.labels} labels,"
        f" {found.on}"
    )
    click.echo(f"  {_right(found.accuracy)}")
    if found.gate.state:
        unproven("", found.gate)
    if found.experts:
        click.echo(f"  experts: {_experts(found.experts)}")
    if found.drawn_by_chance:
        click.echo(f"  labels: {percent(100 * found.drawn_by_chance)} seem drawn by chance")
    for title, counts in (("left out", found.left_out), ("noted", found.noted)):
        if counts:
            listed = ", ".join(f"{what} {n:,}" for what, n in counts.items())
            click.echo(f"  {title}: {listed}")
    if found.texts < FEW:
        click.echo(f"  scores are rough: {found.texts} texts; label more")
    _table(found)
    click.echo(f"previous version: {_previous(found.previous)}")


def _right(accuracy: Mapping[str, float | None]) -> str:
    before = accuracy.get("previous")
    was = "" if before is None else f" ({percent(before)} in the previous version)"
    return f"{percent(accuracy['view'])} get their label{was}"


def _experts(experts: Sequence[Worth]) -> str:
    """Say what each weighs, and what the log-loss of texts left out would be more without it."""
    kept = [each for each in experts if each.weight]
    if len(kept) == 1:
        return f"{kept[0].expert} alone; the others save nothing beside it"
    said = [f"{each.expert} {each.weight:.2f} (saves {each.saves:.3f})" for each in kept]
    return ", ".join([*said, *(f"{each.expert} –" for each in experts if not each.weight)])


def _table(found: Evaluation) -> None:
    print_table(
        f"figures × 100, {found.interval}",
        Column("", list(MEASURES.values())),
        *(
            Column(name, [_figure(scores[measure]) for measure in MEASURES], "number")
            for name, scores in found.scores.items()
        ),
        *(
            Column(f"over {name}", [_figure(gains[m], "+") for m in MEASURES], "number", 1)
            for name, gains in found.gains.items()
        ),
    )


def _figure(figure: Interval | None, sign: str = "") -> str:
    if figure is None:
        return NONE
    return f"{figure.value:{sign}.1f}\n{figure.low:{sign}.1f} to {figure.high:{sign}.1f}"


def _previous(about: Previous | NotCompared) -> str:
    if isinstance(about, NotCompared):
        return f"not compared, {about.not_compared}"
    return f"{about.method} on {about.texts:,} labelled texts (transform {about.transform[:8]})"


def doubts(found: DoubtedLabels, *, as_json: bool) -> None:
    """Print which labels are in doubt, and what is likelier."""
    if as_json:
        print_json(found.to_json())
        return
    rows = found.rows
    left = f"; {found.not_asked:,} could not be left out" if found.not_asked else ""
    click.echo(
        f"{found.instruction}: {found.doubted:,} of {found.asked:,} labels are in doubt: others are"
        f" far likelier by fits that have not seen the text{left}"
    )
    if not rows:
        return
    print_table(
        "the most doubtful first, with both probabilities",
        Column("label", [f"{', '.join(row.label)} {row.p_label:.2f}" for row in rows]),
        Column("likelier", [f"{row.likelier} {row.p_likelier:.2f}" for row in rows]),
        Column("id", [short_id(row.id) for row in rows]),
        Column("text", [short(row.text, WIDTH) for row in rows], "words"),
    )
    click.echo("correct those that are wrong where your labels are, then: refract run")


def suggestions(rows: pl.DataFrame, form: str, name: str = "", labels: Sequence[str] = ()) -> None:
    """Print texts worth labelling in the format `form`: data, whatever a terminal makes of it."""
    if form == "csv":
        give(neutral(rows).write_csv(float_precision=3))
        quotes("suggest", formulas(rows["text"]), "--format jsonl")
    elif form == "jsonl":
        give(rows.write_ndjson())
    else:
        give(FORMATS[form](rows.to_dicts(), name, labels))
    if form == "label-studio":
        click.echo(f"labelling interface for it: {interface(name, labels)}", err=True)


def quotes(verb: str, many: int, instead: str) -> None:
    """Say on stderr how many texts of a CSV got a quote, and what leaves them as they are."""
    if many:
        texts = "text" if many == 1 else "texts"
        click.echo(
            f"{verb}: {many:,} {texts} that a spreadsheet would take for a formula got a leading ';"
            f" {instead} leaves them as they are",
            err=True,
        )
