"""The outcomes of the quality benchmark as tables: means over the aspects, and each aspect."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

import numpy as np

from benchmarks.figures import Figures

RESAMPLES = 2_000  # of the aspects


@dataclass(frozen=True)
class Outcome:
    """One method on one aspect in one part; experts: their weights, where there are several."""

    part: str
    data: str
    aspect: str
    classes: int
    labels: int
    method: str
    figures: Figures
    fit_seconds: float
    rows_per_second: float
    experts: dict[str, float] | None


BY_START = {"V-measure": "v_measure", "triplets": "triplets", "STS": "sts", "kNN@10": "knn"}
OTHERS: dict[str, Callable[[Figures], float | None]] = {
    "accuracy": lambda one: one.accuracy,
    "ECE": lambda one: one.error,
    "Brier": lambda one: one.brier,
    "novelty AUC": lambda one: one.auc,
    "false alarms": lambda one: one.alarms,
}


def tables(outcomes: Sequence[Outcome]) -> str:
    """Return Markdown: the means of each part, then each aspect in each part."""
    parts = list(dict.fromkeys(one.part for one in outcomes))
    own = {part: [one for one in outcomes if one.part == part] for part in parts}
    means = [_means(part, own[part]) for part in parts]
    return "\n\n".join([*means, *(_aspects(part, own[part]) for part in parts)])


def _means(part: str, outcomes: list[Outcome]) -> str:
    aspects = len({(one.data, one.aspect) for one in outcomes})
    others = [n for n, of in OTHERS.items() if any(of(o.figures) is not None for o in outcomes)]
    head = [*BY_START, *others, "fit, s", "apply, rows/s"]
    lines = [
        f"**{part}**, means over {aspects} aspects ± the standard error from three starts",
        "",
        "| method | " + " | ".join(head) + " |",
        "|---|" + "--:|" * len(head),
    ]
    for method in dict.fromkeys(one.method for one in outcomes):
        own = [one for one in outcomes if one.method == method]
        cells = [_with_error([one.figures.starts[key] for one in own]) for key in BY_START.values()]
        cells += [_mean([OTHERS[name](one.figures) for one in own]) for name in others]
        cells.append(f"{mean(one.fit_seconds for one in own):.2f}")
        cells.append(f"{mean(one.rows_per_second for one in own):,.0f}")
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", *_gains(outcomes)])


def _with_error(each: list[list[float]]) -> str:
    """Return the mean of figures (aspects, starts), ± that of the starts' own means."""
    starts = np.array(each).mean(0)
    return f"{starts.mean():.1f} ± {starts.std(ddof=1) / len(starts) ** 0.5:.1f}"


def _mean(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{mean(known):.1f}" if known else "–"


def _gains(outcomes: list[Outcome]) -> list[str]:
    """Say what each method gains over the first, with errors of a bootstrap over aspects."""
    first, *others = dict.fromkeys(one.method for one in outcomes)
    own = {m: _by_aspect([o for o in outcomes if o.method == m]) for m in (first, *others)}
    said = []
    for method in others:
        gains = ", ".join(
            f"{title} {difference(own[method][key], own[first][key])}"
            for title, key in BY_START.items()
        )
        said.append(f"{method} over {first}, ± over aspects: {gains}.")
    return said


def _by_aspect(outcomes: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    """Return, for each measure, the mean of the starts by aspect."""
    return {
        key: {f"{one.data} {one.aspect}": mean(one.figures.starts[key]) for one in outcomes}
        for key in BY_START.values()
    }


def difference(new: dict[str, float], old: dict[str, float]) -> str:
    """Return the mean difference over the aspects that both have, ± its bootstrap error, and the
    least one."""
    both = [aspect for aspect in new if aspect in old]
    gaps = np.array([new[aspect] - old[aspect] for aspect in both])
    drawn = np.random.default_rng(0).integers(len(gaps), size=(RESAMPLES, len(gaps)))
    error = gaps[drawn].mean(1).std()
    least = both[int(gaps.argmin())]
    return f"{gaps.mean():+.1f} ± {error:.1f} (least {gaps.min():+.1f}, {least})"


def compared(outcomes: Sequence[Outcome], earlier: list[dict[str, Any]]) -> str:
    """Return Markdown: what each part and method gains over an earlier run."""
    lines = ["| part | method | " + " | ".join(BY_START) + " |", "|---|---|" + "---|" * 4]
    for part, method in dict.fromkeys((one.part, one.method) for one in outcomes):
        new = _by_aspect([o for o in outcomes if (o.part, o.method) == (part, method)])
        old = [o for o in earlier if (o["part"], o["method"]) == (part, method)]
        if not old:
            continue
        was = {
            key: {f"{o['data']} {o['aspect']}": mean(o["figures"]["starts"][key]) for o in old}
            for key in BY_START.values()
        }
        cells = [difference(new[key], was[key]) for key in BY_START.values()]
        lines.append(f"| {part} | {method} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _aspects(part: str, outcomes: list[Outcome]) -> str:
    methods = list(dict.fromkeys(one.method for one in outcomes))
    lines = [
        f"**{part}**, V-measure / triplets / kNN@10 of each aspect",
        "",
        "| texts | aspect | classes | labels | " + " | ".join(methods) + " | experts |",
        "|---|---|--:|--:|" + "--:|" * len(methods) + "---|",
    ]
    for data, aspect in dict.fromkeys((one.data, one.aspect) for one in outcomes):
        own = [one for one in outcomes if (one.data, one.aspect) == (data, aspect)]
        experts = next((one.experts for one in reversed(own) if one.experts), {})
        said = ", ".join(f"{name} {weight:.2f}" for name, weight in experts.items())
        cells = [data, aspect, str(own[0].classes), str(own[0].labels), *map(_three, own), said]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _three(one: Outcome) -> str:
    found = (one.figures.v_measure, one.figures.triplets, one.figures.knn)
    return " / ".join(f"{value:.1f}" for value in found)
