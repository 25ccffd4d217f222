"""What a person sees in the terminal."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click

from flows.cli.tables import Column, fits, print_table
from flows.cli.terminal import give
from flows.state.staleness import REJECTED
from tasks.core.evaluation.measures import BRIEF
from tasks.core.evaluation.proof import PROVEN, UNPROVEN
from tasks.core.labels.notes import PLACED
from tasks.core.text.ids import short_id
from tasks.core.workspace.paths import Paths

UNSAFE = re.compile("[\x7f-\x9f\u200e\u200f\u061c\u2028-\u202e\u2066-\u206f\ud800-\udfff]")
REMARKS = 8  # lines about how files were read
RIGHT = ("right", "share of held-out texts that get their label")
LOW_CEILING = 99.5  # kNN@10 that is within a rounding of 100
FEW = 50  # held-out texts below which a score moves by more than ten points by chance


def print_json(value: Any) -> None:
    """Print JSON whose strings hold no raw control character: escaped, they are the same data."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=str)
    give(UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")


def tell(report: Any, say: Callable[..., None], *more: Any, as_json: bool) -> None:
    """Print a verb's report as JSON, or have `say` print it in words."""
    if as_json:
        many = isinstance(report, Sequence)
        print_json([asdict(each) for each in report] if many else asdict(report))
    else:
        say(report, *more)


def nothing_to_do(verb: str, reason: str, *, as_json: bool = False) -> None:
    if as_json:
        print_json({"nothing_to_do": reason})
    else:
        click.echo(f"{verb}: nothing to do, {reason}")


def ingested(report: Any, paths: Paths) -> None:
    click.echo(
        f"ingest: {report.kept:,} texts kept of {report.read:,} read from {report.sources:,} files"
    )
    _counts(report.rejected, f"rejected, listed in {paths.inside(paths.rejected_documents)}")
    _counts(report.notes, "noted")
    _remarks(report.remarks)
    for old, new in report.renamed.items():
        click.echo(f"  column {old!r} is kept as {new!r}")


def embedded(report: Any) -> None:
    click.echo(
        f"embed: {report.rows:,} base vectors of {report.dimensions} dimensions;"
        f" {report.encoded:,} encoded in {report.precision}, {report.reused:,} reused,"
        f" {report.retired:,} retired, {report.truncated:,} truncated ({report.seconds:.1f} s)"
    )


def fitted(outcome: Any, silent: Sequence[str] = ()) -> None:
    for report in outcome.fitted:
        how = "fitted" if report.refitted else "kept, its labelled texts are the same"
        click.echo(
            f"fit {report.name}: {how}; {report.texts:,} texts with {report.labels} labels,"
            f" {report.method} ({report.seconds:.2f} s)"
        )
        _counts(report.reasons, "label rows not used")
        _counts(report.notes, "noted")
        if report.held_out < FEW:
            click.echo(f"  scores are rough: {report.held_out} texts held out; label more")
        unproven("", report.gate)
    for name, reason in outcome.rejected.items():
        if name not in silent:
            click.echo(f"fit {name}: rejected, {reason}", err=True)


def unproven(before: str, gate: Mapping[str, Any]) -> None:
    """Say why a published view may be no better than the base vectors, or than chance."""
    if gate.get("state", PROVEN) == UNPROVEN:
        click.echo(f"  {before}{UNPROVEN}: {gate['why']}; label more texts")
    elif gate.get("state", PROVEN) != PROVEN:
        click.echo(f"  {before}published without the gate: {gate['why']}; check the labels")


def materialised(reports: Iterable[Any]) -> None:
    for report in reports:
        how = "whole" if report.whole else f"{report.written:,} new, {report.retired:,} retired"
        click.echo(
            f"materialise {report.name}: {report.rows:,} rows of {report.dimensions} dimensions,"
            f" {how} ({report.seconds:.2f} s)"
        )


def maintained(reports: Iterable[Any]) -> None:
    for report in reports:
        before, after = report.before, report.after
        click.echo(
            f"maintain {report.name}: {before.mib:,.1f} → {after.mib:,.1f} MiB,"
            f" {before.fragments:,} → {after.fragments:,} fragments,"
            f" {before.versions:,} → {after.versions:,} versions"
        )


def ran(report: Any, paths: Paths) -> None:
    if report.ingest is not None:
        ingested(report.ingest, paths)
    if report.embed is not None:
        embedded(report.embed)
    fitted(report.fit)
    materialised(report.materialise)
    recorded(report.record)
    laps = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in report.seconds.items())
    click.echo(f"time: {laps}")


def recorded(report: Any) -> None:
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


def status(state: Mapping[str, Any]) -> None:
    for line in state["unfinished"]:
        click.echo(f"stopped halfway: {line}")
    corpus, vectors = state["corpus"], state["vectors"]
    click.echo(
        f"corpus: {corpus['texts']:,} texts from {corpus['sources']:,} files ({_verdict(corpus)})"
    )
    _remarks(corpus.get("remarks", []))
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
            unproven(f"{name} is ", about.get("gate", {}))
            why = str(about.get("transform", {}).get("reason", ""))
            if why.startswith(REJECTED):
                click.echo(f"  {name} is {why}")
            placed = {what: n for what, n in about.get("notes", {}).items() if what in PLACED}
            _counts(placed, f"{name}, noted")
    else:
        click.echo("views: none; put labels at data/labels/INSTRUCTION.csv (columns id,label)")


def views(instructions: Mapping[str, Any]) -> None:
    """Print one line a view: how many held-out texts get their label, scores, state."""
    wide = fits(*_columns(instructions, both=True))
    print_table(
        f"views: {RIGHT[1]}; scores on held-out labels{', before → after' if wide else ''}",
        *_columns(instructions, both=wide),
    )
    for name, about in instructions.items():
        _ceiling(name, about)


def _columns(instructions: Mapping[str, Any], *, both: bool) -> list[Column]:
    """Return the columns about each instruction; both: scores before the fit as well as after."""
    every = instructions.values()
    counts = [about.get("labels", {}) for about in every]
    scores = [
        Column(title, [_scored(about, key, both=both) for about in every], "number")
        for key, title in BRIEF.items()
    ]
    return [
        Column("view", list(instructions)),
        Column(RIGHT[0], [right(about.get("accuracy")) for about in every], "number"),
        *scores,
        Column("labels", [f"{len(each)}" for each in counts], "number", 3),
        Column("texts", [f"{sum(each.values()):,}" for each in counts], "number", 2),
        Column("rows", [f"{about.get('rows', 0):,}" for about in every], "number", 1),
        Column("state", [_state(about) for about in every]),
    ]


def right(share: float | None) -> str:
    """Return which share of held-out texts, in percent, get their label, as people read it."""
    return "–" if share is None else f"{share:.0f} %"


def _scored(about: Mapping[str, Any], key: str, *, both: bool) -> str:
    after = about.get("after", {})
    return shift(about.get("before", {}), after, key) if both else figure(after.get(key))


def _ceiling(name: str, about: Mapping[str, Any]) -> None:
    ceiling = about.get("knn_ceiling")
    if ceiling is not None and ceiling < LOW_CEILING:
        click.echo(
            f"  {name}: kNN@10 can reach {ceiling:.1f} at most, some labels are on fewer than"
            " eleven held-out texts"
        )


def shift(before: Mapping[str, Any], after: Mapping[str, Any], key: str) -> str:
    old, new = (part.get(key) if isinstance(part, dict) else None for part in (before, after))
    return "–" if old is None or new is None else f"{old:.1f} → {new:.1f}"


def figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _state(about: Mapping[str, Any]) -> str:
    for part in ("transform", "view"):
        verdict = about.get(part, {"stale": False, "reason": "up to date"})
        if str(verdict["reason"]).startswith(REJECTED):
            return "rejected"
        if verdict["stale"] or verdict["reason"] != "up to date":
            return ("stale: " if verdict["stale"] else "") + str(verdict["reason"])
    unsure = about.get("gate", {}).get("state", PROVEN) != PROVEN
    return UNPROVEN if unsure else "up to date"


def _verdict(about: Mapping[str, Any]) -> str:
    return ("stale: " if about["stale"] else "") + str(about["reason"])


def next_steps(paths: Paths, names: Sequence[str]) -> None:
    root = "" if str(paths.root) == "." else f" --root {shlex.quote(str(paths.root))}"
    name = next(iter(names), "base")
    click.echo(
        "next:\n"
        f"  refract search 'some words to look for' --view {name} --view base -k 5{root}\n"
        f"  refract similar ID --view {name}{root}\n"
        f"  refract export {name} {name}.parquet{root}\n"
        "  labels for another aspect: data/labels/NAME.csv with columns id,label, or"
        " 'refract label NAME'; then refract run"
    )


def hits(found: list[tuple[str, str, list[dict[str, Any]]]], *, as_json: bool) -> None:
    if as_json:
        rows = [{"query": query, "view": view, "hits": got} for query, view, got in found]
        print_json(rows[0]["hits"] if len(rows) == 1 else rows)
        return
    for query, view, got in found:
        print_table(
            f"{query}  ·  {view}",
            Column("score", [f"{hit['score']:.3f}" for hit in got], "number"),
            Column("label", [str(hit.get("label") or "") for hit in got]),
            Column("confidence", [_sure(hit) for hit in got], "number", 1),
            Column("id", [short_id(str(hit["id"])) for hit in got]),
            Column("text", [short(hit["text"]) for hit in got], "words"),
        )


def _sure(hit: Mapping[str, Any]) -> str:
    return f"{hit['confidence']:.2f}" if "confidence" in hit else ""


def short(text: str | None, limit: int = 160) -> str:
    flat = " ".join((text or "").split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def _remarks(remarks: Sequence[str]) -> None:
    for remark in remarks[:REMARKS]:
        click.echo(f"  {remark}")
    if len(remarks) > REMARKS:
        click.echo(f"  … and {len(remarks) - REMARKS:,} more; 'refract status --json' lists them")


def _counts(counts: Mapping[str, int], what: str) -> None:
    if counts:
        listed = ", ".join(f"{reason} {n:,}" for reason, n in sorted(counts.items()))
        click.echo(f"  {what}: {listed}")
