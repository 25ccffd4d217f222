"""What a person sees in the terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from flows.cli.show.tables import Column, print_table
from flows.cli.terminal import give
from tasks.core.evaluation.proof import MORE, PROVEN, UNPROVEN
from tasks.core.labels.notes import with_names
from tasks.core.text.brief import short
from tasks.core.text.ids import short_id
from tasks.core.workspace.manifest import Part
from tasks.core.workspace.manifests import FULL, Gate
from tasks.core.workspace.paths import Paths

if TYPE_CHECKING:
    from flows.embed import EmbedReport
    from flows.fit import FitOutcome
    from flows.materialise import ViewReport
    from flows.record import Recorded
    from flows.run import RunReport
    from tasks.core.corpus.building import CorpusReport
    from tasks.core.views.snapshot import Hit
    from tasks.fit import FitReport
    from tasks.maintain import UpkeepReport

UNSAFE = re.compile("[\x7f-\x9f\u200e\u200f\u061c\u2028-\u202e\u2066-\u206f\ud800-\udfff]")
WIDTH = 160  # characters of a text in a table
PASSAGE = 480  # characters of a passage there: 64 word pieces are some 300
REMARKS = 8  # lines about how files were read
COLUMNS = 12  # names of columns that are listed
FEW = 50  # held-out texts below which a score moves by more than ten points by chance


def print_json(value: Any) -> None:
    """Print JSON whose strings hold no raw control character: escaped, they are the same data."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=_plain)
    give(UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")


def _plain(value: Any) -> Any:
    return value.model_dump(exclude_unset=True) if isinstance(value, Part) else str(value)


def tell(report: Any, say: Callable[..., None], *more: Any, as_json: bool) -> None:
    """Print a verb's report as JSON, or have `say` print it in words."""
    if as_json:
        many = isinstance(report, Sequence)
        print_json([asdict(each) for each in report] if many else asdict(report))
    else:
        say(report, *more)


def nothing_to_do(verb: str, reason: str, *, as_json: bool = False) -> None:
    """Print why a verb had nothing to do."""
    if as_json:
        print_json({"nothing_to_do": reason})
    else:
        click.echo(f"{verb}: nothing to do, {reason}")


def ingested(report: CorpusReport, paths: Paths) -> None:
    """Print what became of the documents, and of the rows that were rejected."""
    click.echo(
        f"ingest: {report.kept:,} texts kept of {report.read:,} read from {report.sources:,} files"
    )
    counts_of(report.rejected, f"rejected, listed in {paths.inside(paths.rejected_documents)}")
    counts_of(report.notes, "noted")
    remarked(report.remarks)
    _columns(report.columns, {new: old for old, new in report.renamed.items()})
    for old, new in report.renamed.items():
        click.echo(f"  column {old!r} is kept as {new!r}")


def _columns(kept: Mapping[str, str], called: Mapping[str, str]) -> None:
    """Say which columns are kept beside id and text, for --where, and as labels where they are."""
    names = [repr(called.get(name, name)) for name in kept]
    more = f" and {len(names) - COLUMNS:,} more" if len(names) > COLUMNS else ""
    listed = ", ".join(names[:COLUMNS]) or "none"
    click.echo(f"  columns kept beside id and text: {listed}{more}")


def embedded(report: EmbedReport) -> None:
    """Print how many texts were encoded, how, and in what time."""
    windowed = f"{report.windowed:,} by windows, " if report.windowed else ""
    click.echo(
        f"embed: {report.rows:,} base vectors of {report.dimensions} dimensions;"
        f" {report.encoded:,} encoded in {report.precision}, {report.reused:,} reused,"
        f" {report.retired:,} retired, {windowed}{report.truncated:,} truncated"
        f" ({report.seconds:.1f} s)"
    )


def fitted(outcome: FitOutcome, silent: Sequence[str] = ()) -> None:
    """Print each fit and each rejected label file; silent: those that are told elsewhere."""
    for report in outcome.fitted:
        how = "fitted" if report.refitted else "kept, its labelled texts are the same"
        click.echo(
            f"fit {report.name}: {how}; {report.texts:,} texts with {report.labels} labels,"
            f" {report.method} ({report.seconds:.2f} s)"
        )
        for line in report.read_as:
            click.echo(f"  {line}")
        _not_used(report.reasons)
        counts_of(with_names(report.notes, report.noted_labels), "noted")
        _right(report)
        if report.texts and report.held_out < FEW:
            click.echo(f"  scores are rough: {report.held_out} texts held out; label more")
        if report.gate is not None:
            unproven("", report.gate)
    for name, reason in outcome.rejected.items():
        if name not in silent:
            click.echo(f"fit {name}: rejected, {reason}", err=True)


def older_views(older: Sequence[str], missing: Sequence[str]) -> None:
    """Say which views are not yet made by the transform that was fitted, and what makes them."""
    if older:
        click.echo(
            f"search still shows {', '.join(older)} as before this; to see the new: refract run"
        )
    if missing:
        click.echo(f"no view yet of {', '.join(missing)}; to see it: refract run")


def _not_used(reasons: Mapping[str, int]) -> None:
    counts_of(reasons, "label rows not used")
    if reasons:
        from tasks.core.labels.enough import ABSENT

        absent = [reason for reason in ABSENT if reason in reasons]
        if absent:
            click.echo(f"  {' and '.join(absent)}: {ABSENT[absent[0]]}")


def _right(report: FitReport) -> None:
    about = report.intervals.get("right", {})
    low, high = about.get("low"), about.get("high")
    if report.right is not None and low is not None and high is not None:
        click.echo(
            f"  about {report.right:.0f} % of all texts get their label ({low:.0f} to {high:.0f} %)"
        )
    if report.accuracy is not None:
        click.echo(
            f"  {report.accuracy:.0f} % of {report.held_out:,} held-out texts get their label"
        )


def unproven(before: str, gate: Gate) -> None:
    """Say why a published view may be no better than the base vectors, or than chance."""
    if gate.state == UNPROVEN:
        click.echo(f"  {before}{UNPROVEN}: {gate.why}; label more texts, {MORE}")
        if gate.beyond:
            click.echo(f"  all the same, {gate.beyond}")
    elif gate.state != PROVEN:
        click.echo(f"  {before}published without the gate: {gate.why}; check the labels")


def materialised(reports: Iterable[ViewReport]) -> None:
    """Print how many rows of each view were written."""
    for report in reports:
        how = "whole" if report.whole else f"{report.written:,} new, {report.retired:,} retired"
        how = report.mode if report.mode != FULL else how
        click.echo(
            f"materialise {report.name}: {report.rows:,} rows of {report.dimensions} dimensions,"
            f" {how} ({report.seconds:.2f} s)"
        )


def maintained(reports: Iterable[UpkeepReport]) -> None:
    """Print what became of each table."""
    for report in reports:
        click.echo(f"maintain {report.in_words}")


def ran(report: RunReport, paths: Paths) -> None:
    """Print what each step of a run has done, and how long it took."""
    if report.ingest is not None:
        ingested(report.ingest, paths)
    if report.embed is not None:
        embedded(report.embed)
    fitted(report.fit)
    materialised(report.materialise)
    recorded(report.record)
    laps = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in report.seconds.items())
    click.echo(f"time: {laps}")


def recorded(report: Recorded) -> None:
    """Print what was recorded in DVC and git, and sent where."""
    if not report.in_dvc:
        click.echo(
            "record: skipped, this is no DVC repository (run 'git init && dvc init' to have one)"
        )
        return
    made = f"; commit {report.commit[:8]}" if report.commit else ""
    sent = f"; sent: {', '.join(report.pushed)}" if report.pushed else ""
    click.echo(f"record: dvc status is clean{made}{sent}")
    if report.message:
        click.echo("\n".join(f"  {line}" for line in report.message.splitlines() if line))
    if report.tags:
        click.echo(f"  tags: {', '.join(report.tags)}")


def hits(found: Sequence[tuple[str, str, Sequence[Hit]]], *, as_json: bool) -> None:
    """Print the texts that each query found in each view: query, view, and what was found."""
    if as_json:
        rows = [
            {"query": query, "view": view, "hits": [hit.to_json() for hit in got]}
            for query, view, got in found
        ]
        print_json(rows[0]["hits"] if len(rows) == 1 else rows)
        return
    for query, view, got in found:
        print_table(
            f"{query}  ·  {view}",
            Column("score", [f"{hit.score:.3f}" for hit in got], "number"),
            Column("label", [hit.label or "" for hit in got]),
            Column("confidence", [_sure(hit) for hit in got], "number", 1),
            Column("id", [short_id(hit.id) for hit in got]),
            Column("text", [_part(hit) for hit in got], "words"),
        )


def _part(hit: Hit) -> str:
    """Return the passage with … where more of the text stands, or how the text begins."""
    if hit.passage is None or hit.text is None:
        return short(hit.text, WIDTH)
    start, part = hit.passage.start, hit.passage.text
    before, after = hit.text[:start].strip(), hit.text[start + len(part) :].strip()
    return f"{'… ' * bool(before)}{short(part, PASSAGE)}{' …' * bool(after)}"


def _sure(hit: Hit) -> str:
    return "" if hit.confidence is None else f"{hit.confidence:.2f}"


def remarked(remarks: Sequence[str]) -> None:
    """Print how files were read, a line each, and where the rest is listed."""
    for remark in remarks[:REMARKS]:
        click.echo(f"  {remark}")
    if len(remarks) > REMARKS:
        click.echo(f"  … and {len(remarks) - REMARKS:,} more; 'refract status --json' lists them")


def counts_of(counts: Mapping[str, int], what: str) -> None:
    """Print how many there are of each kind, in one line; nothing where there are none."""
    if counts:
        listed = ", ".join(f"{reason} {n:,}" for reason, n in sorted(counts.items()))
        click.echo(f"  {what}: {listed}")
