"""From an instruction to a view, by labels of a model that errs at a known rate.

Usage: python -m benchmarks.labelling --data FOLDER [--only ASPECT ...] [--labels N] [--json FILE]
       python -m benchmarks.labelling --data FOLDER --endpoint URL --model NAME [--labels 300] …

Without --endpoint (`real_model`) the model is an HTTP server on loopback that knows the truth and
says something else of a given share of the texts, in summaries and in classes independently.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks import datasets, real_model
from benchmarks.machine import machine, one_line
from benchmarks.measure import say
from tasks.core.evaluation.metrics import Scores, score
from tasks.core.settings.params import Params, load_params, render_params
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths
from tests.endpoint import KEY, Endpoint, Oracle, Reply

ASPECTS = {
    "sentiment": ("airline_tweets", "the sentiment of the passenger towards the airline"),
    "negative_reason": ("airline_tweets", "the reason for the complaint"),
    "information_type": ("crisislex_t26", "the kind of information about the disaster"),
}
# By hand, before any figure was seen, in the words of the sets' own documentation where it has any.
DESCRIPTIONS = {
    "negative": "complaints, anger, frustration or disappointment about the service",
    "neutral": "a question, a request or news without any feeling",
    "positive": "thanks, praise, joy or satisfaction with the service",
    "Flight Booking Problems": "booking, changing or paying for a flight did not work",
    "Lost Luggage": "a bag did not arrive or is missing",
    "Damaged Luggage": "a bag was broken",
    "Customer Service Issue": "nobody answers, long time on hold, unhelpful service",
    "Cancelled Flight": "a flight was cancelled",
    "Can't Tell": "a complaint without any reason",
    "Flight Attendant Complaints": "rude crew, staff or gate agents",
    "longlines": "long lines and queues at the airport",
    "Late Flight": "a flight is delayed or late",
    "Bad Flight": "seats, food, wifi or comfort on board were bad",
    "Infrastructure and utilities": "roads, buildings, power or water are damaged or restored",
    "Donations and volunteering": "money, goods, blood or help is given or asked for",
    "Other Useful Information": "other news and facts about the disaster",
    "Caution and advice": "warnings and advice about what to do",
    "Sympathy and support": "prayers, thoughts and condolences",
    "Affected individuals": "people who died, were injured, are missing or rescued",
}
WORDS = 6  # of the text in a summary: no two say the same
BAD = (Reply(429, b"{}", {"retry-after": "0"}), Reply(500), Reply(0), Reply(200, b'{"choices": ['))


@dataclass(frozen=True)
class Variant:
    """One way to labels: how often the model errs, how it is asked, which calls fail."""

    name: str
    title: str
    error: float = 0.0
    settings: tuple[tuple[str, Any], ...] = ()
    failing: float = 0.0


VARIANTS = (
    Variant("e0", "model, 0 % error"),
    Variant("e10", "model, 10 % error, and 10 % of the calls fail", 0.1, failing=0.1),
    Variant("e20", "model, 20 % error", 0.2),
    Variant("e30", "model, 30 % error", 0.3),
    Variant("nosummary", "10 % error, no summaries", 0.1, (("summary", False),)),
    Variant("direct", "10 % error, labels at once", 0.1, (("direct", True),)),
    Variant("coreset", "10 % error, coreset", 0.1, (("sampling", "coreset"),)),
    Variant("stratified", "10 % error, stratified", 0.1, (("sampling", "stratified"),)),
)


@dataclass(frozen=True)
class Seen:
    """One view by labels of one kind; `true`: share of the labels that are right."""

    aspect: str
    title: str
    labels: int
    kinds: int
    true: float
    calls: int
    answered: int
    seconds: float
    scores: Scores


class Speaker(Oracle):
    """Says the label and some words of the text as its summary."""

    def note(self, label: str, user: str) -> str:
        """Return a summary of a text with that label."""
        words = user.rpartition("</text")[0].rpartition(">\n")[2].split()[:WORDS]
        return f"{label} – {' '.join(words)}"

    def noted(self, note: str) -> str:
        """Return the label that a summary, or the start of a text, tells of."""
        label = note.partition(" – ")[0]
        return label if label in self.names else super().noted(note)


def main() -> None:
    asked = _arguments()
    if asked.endpoint:
        real_model.run(asked)
        return
    datasets.require(asked.data, sorted({ASPECTS[aspect][0] for aspect in asked.only}))
    os.environ |= {"OPENAI_API_KEY": KEY, "OPENAI_MODEL": "loopback"}
    found: list[Seen] = []
    with tempfile.TemporaryDirectory(prefix="refract-labelling-") as folder:
        for aspect in asked.only:
            found += _aspect(asked.data, aspect, Path(folder) / aspect, asked)
            say(f"so far:\n{table(found)}")
    print(f"\n{one_line()}\n\n{table(found)}")
    if asked.json:
        about = {"machine": machine(), "views": [asdict(seen) for seen in found]}
        asked.json.write_text(json.dumps(about, indent=2) + "\n", "utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--only", nargs="+", metavar="ASPECT")
    parser.add_argument("--labels", type=int, default=datasets.LABELS, help="texts a sample has")
    parser.add_argument("--pool", type=int, default=9_000, help="texts a sample is drawn from")
    parser.add_argument("--held-out", type=int, default=datasets.HELD_OUT, help="texts scored")
    parser.add_argument("--json", type=Path, help="write all figures to this file, too")
    parser.add_argument("--endpoint", metavar="URL", help="ask a real model, at …/v1")
    parser.add_argument("--model", metavar="NAME", default="local", help="that it serves")
    asked = parser.parse_args()
    own = real_model.ASPECTS if asked.endpoint else ASPECTS
    asked.only = asked.only or list(own)
    if not set(asked.only) <= set(own):
        parser.error(f"--only: expected {', '.join(own)}")
    return asked


def _aspect(data: Path, aspect: str, root: Path, asked: argparse.Namespace) -> list[Seen]:
    """Make all labels of one aspect, then let the held-out texts arrive, then all views."""
    from flows.init import make_workspace
    from flows.runtime.prefect_settings import settle

    make_workspace(root, git=False)
    settle(Paths(root))
    from flows.embed import embed
    from flows.fit import fit
    from flows.ingest import ingest
    from flows.materialise import materialise

    name, instruction = ASPECTS[aspect]
    cut = datasets.split(data, name, aspect, asked.pool)
    held = cut.held_out[: asked.held_out]
    truth = dict(pl.concat([cut.labelled, held]).select("id", "label").iter_rows())
    texts = dict(cut.labelled.select("text", "label").iter_rows())
    say(f"{aspect}: {len(cut.labelled):,} texts to draw from, {len(held):,} held out")
    datasets.put(root, "pool", cut.labelled)
    ingest(root)
    embed(root)
    made = {}
    for variant in VARIANTS:
        try:
            made[variant] = _labels(root, texts, instruction, variant, asked.labels)
        except InputError as error:  # a finding, too: the answers were of no use
            say(f"  {variant.title}: {error}")
    made |= _weak(root, sorted(set(texts.values())), instruction, asked.labels)
    made |= _true(root, truth)
    say(f"{aspect}: the held-out texts arrive")
    datasets.put(root, "held", held)
    ingest(root)
    embed(root)
    say(f"{aspect}: fitting and materialising {len(made)} views")
    fit(root)
    materialise(root)
    base = Seen(aspect, "untransformed", 0, 0, 1, 0, 0, 0, _scored(root, "base", held))
    views = [_seen(root, aspect, variant, *about, truth, held) for variant, about in made.items()]
    return [base, *views]


def _labels(
    root: Path, texts: dict[str, str], instruction: str, variant: Variant, size: int
) -> tuple[int, int, float]:
    """Have the labels made by the flow; return calls, answers and seconds."""
    from flows.label import label
    from flows.label_options import LabelOptions

    def failing(number: int, _: object) -> Reply | None:
        every = round(1 / variant.failing)
        return BAD[number // every % len(BAD)] if number % every == 0 else None

    begun = time.perf_counter()
    with Endpoint(Speaker(texts, variant.error), failing if variant.failing else None) as endpoint:
        model = f"errs-{variant.error}"
        _set(root, {"base_url": endpoint.url, "model": model, **dict(variant.settings)})
        report = label(root, variant.name, LabelOptions(instruction=instruction, sample=size))
        calls, answered = len(endpoint.requests), len(endpoint.answered)
    seconds = time.perf_counter() - begun
    assert report.spent is not None
    assert report.spent.calls == calls, f"{report.spent.calls} calls noted, {calls} made"
    assert (report.spent.tokens_in, report.spent.tokens_out) == (
        endpoint.tokens_in,
        endpoint.tokens_out,
    )
    said = ", ".join(f"{step.step} {step.done:,}/{step.wanted:,}" for step in report.steps)
    say(f"  {variant.title}: {said}; {calls:,} calls in {seconds:.0f} s")
    return calls, answered, seconds


def _set(root: Path, label: dict[str, Any]) -> None:
    params = Params(label=load_params(Paths(root).params).label.__class__(**label))
    Paths(root).params.write_text(render_params(params), "utf-8")


def _weak(
    root: Path, names: Sequence[str], instruction: str, size: int
) -> dict[Variant, tuple[int, int, float]]:
    from flows.label import label
    from flows.label_options import LabelOptions

    file = root / "labels.txt"
    file.write_text("".join(f"{name}: {DESCRIPTIONS[name]}\n" for name in names), "utf-8")
    begun = time.perf_counter()
    label(root, "zero-shot", LabelOptions(instruction=instruction, sample=size, zero_shot=file))
    seconds = time.perf_counter() - begun
    return {Variant("zero-shot", "zero-shot, labels described by hand"): (0, 0, seconds)}


def _true(root: Path, truth: dict[str, str]) -> dict[Variant, tuple[int, int, float]]:
    """Write the true labels of the same random sample as a person would."""
    rows = pl.read_ndjson(Paths(root).label_file("e0")).select("id")
    labelled = rows.with_columns(label=pl.col("id").replace_strict(truth))
    labelled.write_csv(Paths(root).labels / "truth.csv")
    return {Variant("truth", "true labels"): (0, 0, 0.0)}


def _seen(
    root: Path,
    aspect: str,
    variant: Variant,
    calls: int,
    answered: int,
    seconds: float,
    truth: dict[str, str],
    held: pl.DataFrame,
) -> Seen:
    file = Paths(root).label_file(variant.name)
    rows = (
        pl.read_ndjson(file)
        if file.is_file()
        else pl.read_csv(file.with_suffix(".csv"), infer_schema=False)
    )
    right = [truth[key] == label for key, label in rows.select("id", "label").iter_rows()]
    scores = _scored(root, variant.name, held)
    kinds, true = rows["label"].n_unique(), sum(right) / len(right)
    numbers = (len(rows), kinds, true, calls, answered, seconds)
    return Seen(aspect, variant.title, *numbers, scores)


def _scored(root: Path, view: str, held: pl.DataFrame) -> Scores:
    from flows import Workspace

    rows = Workspace(root).view(view).frame().select("id", "vector")
    rows = held.join(rows, on="id", how="inner", maintain_order="left")
    y = rows["label"].cast(pl.Categorical).to_physical().to_numpy()
    return score(rows["vector"].to_numpy(), y, 0)


def table(found: Sequence[Seen]) -> str:
    """Return the figures as a Markdown table."""
    lines = [
        "| aspect | labels by | labels | kinds | true"
        " | V-measure | triplets | kNN@10 | calls | s |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for seen in found:
        true = f"{100 * seen.true:.1f} %" if seen.labels else "–"
        figures = (seen.scores.v_measure, seen.scores.triplets, seen.scores.knn)
        shown = " | ".join("–" if figure is None else f"{figure:.1f}" for figure in figures)
        lines.append(
            f"| {seen.aspect} | {seen.title} | {seen.labels:,} | {seen.kinds} | {true} | {shown}"
            f" | {seen.calls:,} | {seen.seconds:.0f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
