"""The outcomes of the quality benchmark as tables: means over the aspects, and each aspect."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean

from tasks.core.evaluation.metrics import Scores


@dataclass(frozen=True)
class Outcome:
    """One method on one aspect in one part: `labels at N`, `wrong labels` or `unseen classes`."""

    part: str
    data: str
    aspect: str
    classes: int
    labels: int
    method: str
    scores: Scores
    accuracy: float | None
    fit_seconds: float
    rows_per_second: float
    chosen: str | None


MEASURES: dict[str, Callable[[Outcome], float | None]] = {
    "V-measure": lambda one: one.scores.v_measure,
    "triplets": lambda one: one.scores.triplets,
    "STS": lambda one: one.scores.sts,
    "kNN@10": lambda one: one.scores.knn,
    "accuracy": lambda one: one.accuracy,
}


def tables(outcomes: Sequence[Outcome]) -> str:
    """Return Markdown: the means of each part, then the aspects of the part with most labels."""
    parts = list(dict.fromkeys(one.part for one in outcomes))
    means = [_means(part, [one for one in outcomes if one.part == part]) for part in parts]
    return "\n\n".join([*means, _aspects([one for one in outcomes if one.part == parts[0]])])


def _means(part: str, outcomes: list[Outcome]) -> str:
    aspects = len({(one.data, one.aspect) for one in outcomes})
    head = [*MEASURES, "fit, s", "apply, rows/s"]
    lines = [
        f"**{part}**, means over {aspects} aspects",
        "",
        "| method | " + " | ".join(head) + " |",
        "|---|" + "--:|" * len(head),
    ]
    for method in dict.fromkeys(one.method for one in outcomes):
        own = [one for one in outcomes if one.method == method]
        cells = [_mean(own, measure) for measure in MEASURES.values()]
        cells.append(f"{mean(one.fit_seconds for one in own):.2f}")
        cells.append(f"{mean(one.rows_per_second for one in own):,.0f}")
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _mean(outcomes: list[Outcome], measure: Callable[[Outcome], float | None]) -> str:
    known = [value for value in map(measure, outcomes) if value is not None]
    return f"{mean(known):.1f}" if known else "–"


def _aspects(outcomes: list[Outcome]) -> str:
    methods = list(dict.fromkeys(one.method for one in outcomes))
    lines = [
        f"**{outcomes[0].part}**, V-measure / triplets / kNN@10 of each aspect",
        "",
        "| texts | aspect | classes | " + " | ".join(methods) + " |",
        "|---|---|--:|" + "--:|" * len(methods),
    ]
    for data, aspect in dict.fromkeys((one.data, one.aspect) for one in outcomes):
        own = [one for one in outcomes if (one.data, one.aspect) == (data, aspect)]
        cells = [data, aspect, str(own[0].classes), *map(_three, own)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _three(one: Outcome) -> str:
    found = (one.scores.v_measure, one.scores.triplets, one.scores.knn)
    return " / ".join("–" if value is None else f"{value:.1f}" for value in found)
