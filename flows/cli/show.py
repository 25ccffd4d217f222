"""What a person sees in the terminal."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table

from flows.cli.terminal import give, lines
from flows.state.staleness import REJECTED
from tasks.core.evaluation.measures import BRIEF
from tasks.core.evaluation.proof import PROVEN, UNPROVEN
from tasks.core.labels.notes import PLACED
from tasks.core.workspace.paths import Paths

UNSAFE = re.compile("[\x7f-\x9f\u200e\u200f\u061c\u2028-\u202e\u2066-\u206f\ud800-\udfff]")
REMARKS = 8  # lines about how files were read
WIDTH = 100  # characters of a table where there is no terminal to ask
FEW = 50  # held-out texts below which a score moves by more than ten points by chance


def print_json(value: Any) -> None:
    """Print JSON whose strings hold no raw control character: escaped, they are the same data."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    give(UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")


def nothing_to_do(verb: str, reason: str) -> None:
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
        for line in report.read_as:
            click.echo(f"  {line}")
        _counts(report.reasons, "label rows not used")
        _counts(report.notes, "noted")
        if report.held_out < FEW:
            click.echo(f"  scores are rough: {report.held_out} texts held out; label more")
        if report.gate is not None:
            unproven("", report.gate.state, report.gate.why)
    for name, reason in outcome.rejected.items():
        if name not in silent:
            click.echo(f"fit {name}: rejected, {reason}", err=True)


def unproven(before: str, state: str, why: str) -> None:
    """Say why a published view may be no better than the base vectors, or than chance."""
    if state == UNPROVEN:
        click.echo(f"  {before}{UNPROVEN}: {why}; label more texts")
    elif state != PROVEN:
        click.echo(f"  {before}published without the gate: {why}; check the labels")


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
    _remarks(corpus["remarks"])
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
        new_console().print(_views(state["instructions"]))
        for name, about in state["instructions"].items():
            if about["gate"]:
                unproven(f"{name} is ", about["gate"]["state"], about["gate"]["why"])
            why = str(about["transform"]["reason"])
            if why.startswith(REJECTED):
                click.echo(f"  {name} is {why}")
            for line in about["read_as"]:
                click.echo(f"  {name} was {line}")
            placed = {what: n for what, n in about["notes"].items() if what in PLACED}
            _counts(placed, f"{name}, noted")
    else:
        click.echo(
            "views: none; put labels at data/labels/INSTRUCTION.csv (columns id,label or"
            " text,label), or name their column: refract fit INSTRUCTION --from-column COLUMN"
        )


def _views(instructions: Mapping[str, Any]) -> Table:
    table = new_table("views: scores on held-out labels, before → after")
    table.add_column("instruction")
    for title in ("labels", "texts", *BRIEF.values(), "rows"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("state")
    for name, about in instructions.items():
        counts = about["labels"]
        scores = [shift(about["before"], about["after"], key) for key in BRIEF]
        table.add_row(
            name,
            f"{len(counts)}",
            f"{sum(counts.values()):,}",
            *scores,
            f"{about['rows']:,}",
            _state(about),
        )
    return table


def shift(before: Mapping[str, Any], after: Mapping[str, Any], key: str) -> str:
    old, new = (part.get(key) if isinstance(part, dict) else None for part in (before, after))
    return "–" if old is None or new is None else f"{old:.1f} → {new:.1f}"


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
    click.echo(
        "next:\n"
        f"  refract search 'some words to look for' --view {name} --view base -k 5{root}\n"
        f"  refract similar ID --view {name}{root}\n"
        f"  refract export {name} {name}.parquet{root}\n"
        "  labels for another aspect: data/labels/NAME.csv with columns id,label or text,label, or"
        " 'refract label NAME'; then refract run"
    )


def hits(found: list[tuple[str, str, list[dict[str, Any]]]], *, as_json: bool) -> None:
    if as_json:
        rows = [{"query": query, "view": view, "hits": got} for query, view, got in found]
        print_json(rows[0]["hits"] if len(rows) == 1 else rows)
        return
    console = new_console()
    for query, view, got in found:
        table = new_table(f"{query}  ·  {view}")
        for column in ("score", "label", "confidence", "id"):
            table.add_column(column, no_wrap=True)
        table.add_column("text")
        for hit in got:
            table.add_row(
                f"{hit['score']:.3f}",
                str(hit.get("label", "")),
                f"{hit['confidence']:.2f}" if "confidence" in hit else "",
                str(hit["id"]),
                short(hit["text"]),
            )
        console.print(table)


class _Console(Console):
    def render_str(self, text: str, *args: Any, **kwargs: Any) -> Any:
        return super().render_str(lines(text), *args, **kwargs)


def new_console() -> Console:
    """Return a console that takes texts as they are: no markup, no emoji codes, no control."""
    plain: dict[str, Any] = {"markup": False, "emoji": False, "highlight": False}
    console = _Console(**plain)
    return console if console.is_terminal else _Console(width=WIDTH, **plain)


def new_table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)


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
