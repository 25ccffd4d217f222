"""What a person sees of the whole workspace: what is there, how good it is, what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

import click

from flows.cli.show.reports import counts_of, remarked, unproven
from flows.cli.show.tables import Column, fits, print_table
from flows.migration.upcoming import described
from flows.state.staleness import FRESH, REJECTED, Verdict
from flows.state.status import InstructionState, NextState, WorkspaceState
from tasks.core.evaluation.measures import BRIEF, NOTABLE, v_by_chance
from tasks.core.evaluation.proof import PROVEN, UNPROVEN
from tasks.core.labels.notes import PLACED, WAITING
from tasks.core.settings.table_sections import stored_as
from tasks.core.text.brief import figure, percent, shift
from tasks.core.workspace.manifests import FULL
from tasks.core.workspace.paths import Paths

RIGHT = ("right", "about which share of all texts get their label")
LOW_CEILING = 99.5  # kNN@10 that is within a rounding of 100


def status(state: WorkspaceState) -> None:
    """Print what is there: the corpus, the vectors, a line a view, and what was refused why."""
    for line in state.unfinished:
        click.echo(f"stopped halfway: {line}")
    corpus, vectors = state.corpus, state.vectors
    click.echo(
        f"corpus: {corpus.texts:,} texts from {corpus.sources:,} files ({_said(corpus.verdict)})"
    )
    remarked(corpus.remarks)
    if vectors.rows:
        stored = stored_as(vectors.storage, features=vectors.features)
        known = "" if vectors.windowed is None else f"{vectors.windowed:,} "
        by_windows = f", {known}long texts by windows" if vectors.long == "windows" else ""
        click.echo(
            f"vectors: {vectors.rows:,} of {vectors.dimensions} dimensions by {vectors.model} in"
            f" {vectors.precision}{by_windows}, stored as {stored} ({_said(vectors.verdict)})"
        )
    if vectors.truncated:
        how = "32 windows that the model reads" if by_windows else "the model reads"
        more = "" if by_windows else " (embed.long: windows reads them)"
        click.echo(
            f"  {vectors.truncated:,} texts are longer than {how}: their ends are left out{more}"
        )
    if state.next is not None:
        click.echo(f"  {_next(state.next)}")
    if state.instructions:
        views(state.instructions)
        for name, about in state.instructions.items():
            _remarks(name, about)
    else:
        click.echo(
            "views: none; put labels at data/labels/INSTRUCTION.csv (columns id,label or"
            " text,label), or name their column: refract fit INSTRUCTION --from-column COLUMN;"
            " or label in a browser: refract explore"
        )


def _next(about: NextState) -> str:
    """Say how far the next encoder has come, and what brings it on."""
    if about.settings is None:
        return (
            "of a next encoder there is a part, but embed.next is null; 'refract embed --call-off'"
        )
    named = described(about.settings)
    if about.encoded is None:
        return f"next encoder ({named}): not begun; 'refract embed --migrate' brings it"
    return (
        f"next encoder ({named}): {about.encoded:,} of {about.texts:,} texts encoded;"
        " 'refract embed --migrate' goes on"
    )


def _remarks(name: str, about: InstructionState) -> None:
    if about.gate is not None:
        unproven(f"{name} is ", about.gate)
    if about.rejected:
        click.echo(f"  {name} is {about.transform.reason}")
    if about.without:
        click.echo(f"  {name} is without {', '.join(about.without)}")
    for line in about.read_as:
        click.echo(f"  {name} was {line}")
    placed = {what: n for what, n in about.notes.items() if what in (*PLACED, WAITING)}
    counts_of(placed, f"{name}, noted")


def views(instructions: Mapping[str, InstructionState]) -> None:
    """Print one line a view: how many texts get their label, scores, state."""
    wide = fits(*_columns(instructions, both=True))
    print_table(
        f"views: {RIGHT[1]}; scores on held-out labels{', before → after' if wide else ''}",
        *_columns(instructions, both=wide),
    )
    for name, about in instructions.items():
        _ceiling(name, about)
        _chance(name, about)


def _columns(instructions: Mapping[str, InstructionState], *, both: bool) -> list[Column]:
    """Return the columns about each instruction; both: scores before the fit as well as after."""
    every = instructions.values()
    counts = [about.labels for about in every]
    scores = [
        Column(title, [_scored(about, key, both=both) for about in every], "number")
        for key, title in BRIEF.items()
    ]
    return [
        Column("view", list(instructions)),
        Column(RIGHT[0], [percent(about.right) for about in every], "number"),
        *scores,
        Column("labels", [f"{len(each)}" for each in counts], "number", 3),
        Column("texts", [f"{_texts(about):,}" for about in every], "number", 2),
        Column("rows", [f"{about.rows:,}" for about in every], "number", 1),
        Column("state", [_state(about) for about in every]),
    ]


def _texts(about: InstructionState) -> int:
    """Return how many texts are labelled; earlier versions knew one label a text, and no number."""
    return sum(about.labels.values()) if about.texts is None else about.texts


def _scored(about: InstructionState, key: str, *, both: bool) -> str:
    after = about.after.get(key)
    return shift(about.before.get(key), after) if both else figure(after)


def _ceiling(name: str, about: InstructionState) -> None:
    ceiling = about.knn_ceiling
    if ceiling is not None and ceiling < LOW_CEILING:
        click.echo(
            f"  {name}: kNN@10 can reach {ceiling:.1f} at most, some labels are on fewer than"
            " eleven held-out texts"
        )


def _chance(name: str, about: InstructionState) -> None:
    texts, labels = about.held_out or 0, about.held_out_labels or 0
    floor = v_by_chance(texts, labels)
    if floor >= NOTABLE and about.after.get("v_measure") is not None:
        click.echo(
            f"  {name}: V-measure of {texts:,} held-out texts with {labels} labels is too high,"
            f" chance alone gives about {floor:.0f}"
        )


def _state(about: InstructionState) -> str:
    for verdict in (about.transform, about.view):
        if verdict.reason.startswith(REJECTED):
            return "rejected"
        if verdict != FRESH:
            return _said(verdict)
    unsure = about.gate is not None and about.gate.state != PROVEN
    said = UNPROVEN if unsure else FRESH.reason
    return said if about.mode == FULL else f"{said}, {about.mode}"


def _said(verdict: Verdict) -> str:
    return ("stale: " if verdict.stale else "") + verdict.reason


def next_steps(paths: Paths, names: Sequence[str]) -> None:
    """Print what to type next, with the first of the views `names`."""
    root = "" if str(paths.root) == "." else f" --root {shlex.quote(str(paths.root))}"
    name = next(iter(names), "base")
    beside = " --view base" if names else ""
    click.echo(
        "next:\n"
        f"  refract search 'some words to look for' --view {name}{beside} -k 5{root}\n"
        f"  refract similar ID --view {name}{root}\n"
        f"  refract export {name} {name}.parquet{root}\n"
        f"  labels for {'another' if names else 'an'} aspect: data/labels/NAME.csv with columns"
        " id,label or text,label, or 'refract label NAME'; then refract run\n"
        f"  to look and to label in a browser: refract explore{root}"
    )
