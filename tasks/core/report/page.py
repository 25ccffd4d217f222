"""One HTML page a view, and one that lists them: whole files that ask for nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from tasks.core.evaluation.bootstrap import Interval
from tasks.core.evaluation.doubts import DoubtedText
from tasks.core.evaluation.measures import MEASURES, NOTABLE, v_by_chance
from tasks.core.report import charts
from tasks.core.report.colours import COLOURED, CSS, DARK, LIGHT
from tasks.core.report.confusion import Confusion
from tasks.core.report.maps import Atlas
from tasks.core.text.ids import short_id

WORDING = {
    "v_measure": "clusters agree with labels",
    "triplets": "nearer to its own label than to another",
    "sts": "closeness of pairs agrees with labels, rank correlation",
    "knn": "of the ten nearest carry the same label",
}
SCORED = {key: (title, WORDING[key]) for key, title in MEASURES.items()}
MISTAKES = 8  # pairs of labels listed beside the heat map
BARS = 14  # labels whose counts are shown before the reader asks for all
THUMBNAIL = 400  # points on the index page's little maps
PICTURED = 500  # points on the still picture, which so stays below 150 kB


@dataclass(frozen=True)
class Bar:
    """A label: texts that carry it, rows of which it is the likeliest, and both bars in percent.

    colour: its place among those that have a colour of their own, or -1; share: of all rows.
    """

    label: str
    colour: int
    labelled: int
    labelled_width: float
    likeliest: int
    likeliest_width: float
    share: float


@dataclass(frozen=True)
class Story:
    """All that a page tells of one view.

    known: id → label that it was given, or one of several. counts: label → texts that were given
    it. likeliest: label → live rows of which it is the likeliest. wanted: why → texts worth
    labelling next, as `refract suggest` finds them; where they cannot be found, `unlisted` says
    why. doubted: texts whose label is probably wrong, as `refract doubts` lists them, and how many
    there are. scores: measure → the generic space's and the view's. confusion: None where there is
    none, which `unchecked` explains. notice: what to know before believing the page. facts: term →
    value, for those who want to make it again.
    """

    name: str
    wording: str
    known: Mapping[str, str]
    counts: Mapping[str, int]
    labels: Sequence[str]
    atlas: Atlas
    likeliest: Mapping[str, int]
    wanted: Mapping[str, pl.DataFrame]
    unlisted: str
    doubted: tuple[int, Sequence[DoubtedText]]
    scores: Mapping[str, tuple[Interval, Interval]]
    held_out: int
    confusion: Confusion | None
    unchecked: str
    notice: str
    facts: Mapping[str, str]

    @property
    def texts(self) -> int:
        """How many texts the view has."""
        return sum(self.likeliest.values())

    @cached_property
    def labelled(self) -> dict[str, int]:
        """Label → texts that carry it, most frequent first."""
        counts = dict.fromkeys(self.labels, 0) | dict(self.counts)
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    @cached_property
    def shown(self) -> list[str]:
        """The most frequent labels, which have a colour of their own."""
        return list(self.labelled)[:COLOURED]


def view_page(story: Story, script: str, others: Sequence[str] = (), *, index: bool = False) -> str:
    """Return the page of one view; others: views whose pages, and index: their list, lie beside."""
    drawn = {
        "before": charts.map_chart([], "before", story.shown, CSS),
        "after": charts.map_chart([], "after", story.shown, CSS),
    }
    if story.confusion is not None:
        drawn["heat"] = charts.heat_map(story.confusion.busiest(charts.NAMED), CSS)
    return _render(
        "view.html",
        story=story,
        others=others,
        index=index,
        script=script,
        data={"points": points(story), "charts": drawn},
        bars=_bars(story),
        few=BARS,
        named=charts.NAMED,
        measures=SCORED,
        v_by_chance=_chance(story),
        mistakes=story.confusion.mistaken(MISTAKES) if story.confusion else [],
    )


def _chance(story: Story) -> float:
    """Return the V-measure that chance gives on the held-out texts, 0 where it is not notable."""
    labels = int((story.confusion.sizes > 0).sum()) if story.confusion else 0
    floor = v_by_chance(story.held_out, labels)
    return floor if floor >= NOTABLE and "v_measure" in story.scores else 0.0


def index_page(stories: Sequence[Story]) -> str:
    """Return the page that lists the pages of all views."""
    few = {
        story.name: points(story)[:: _every(len(story.atlas.after), THUMBNAIL)] for story in stories
    }
    return _render("index.html", stories=stories, points=few, measures=SCORED)


def picture(story: Story) -> charts.Spec:
    """Return both maps as one still picture on light paper, a Vega-Lite specification."""
    titles = ("The corpus, as it was embedded", f"The same texts, seen by {story.name}")
    every = _every(len(story.atlas.after), PICTURED)
    return charts.picture(points(story)[::every], story.shown, titles, LIGHT)


def points(story: Story) -> list[charts.Point]:
    """Return what the maps draw, a dictionary a text; the label is the given one if there is."""
    shown = {label: n for n, label in enumerate(story.shown)}
    made: list[charts.Point] = []
    for n, row in enumerate(story.atlas.texts.iter_rows(named=True)):
        label = row["known"] or row["label"]
        before, after = story.atlas.before[n], story.atlas.after[n]
        made.append(
            {
                "n": n,
                "id": short_id(row["id"]),
                "text": row["text"],
                "label": label,
                "group": label if label in shown else charts.OTHERS,
                "colour": shown.get(label, -1),
                "known": row["known"] is not None,
                "seen": row["label"],
                "confidence": round(row["confidence"], 3),
                "novelty": round(row["novelty"], 3),
                "x_before": round(float(before[0]), 4),
                "y_before": round(float(before[1]), 4),
                "x_after": round(float(after[0]), 4),
                "y_after": round(float(after[1]), 4),
            }
        )
    return made


def _every(n: int, most: int) -> int:
    return max(1, -(-n // most))


def _bars(story: Story) -> list[Bar]:
    """Return for each label how many texts carry it, and of how many it is the likeliest."""
    labelled, likeliest = story.labelled, story.likeliest
    most = max([*labelled.values(), 1])
    widest = max([*likeliest.values(), 1])
    return [
        Bar(
            label=label,
            colour=n if n < COLOURED else -1,
            labelled=count,
            labelled_width=round(100 * count / most, 2),
            likeliest=likeliest.get(label, 0),
            likeliest_width=round(100 * likeliest.get(label, 0) / widest, 2),
            share=likeliest.get(label, 0) / max(story.texts, 1),
        )
        for n, (label, count) in enumerate(labelled.items())
    ]


def _render(template: str, **values: Any) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_function"] = json.dumps
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    environment.filters["short_id"] = short_id
    environment.filters["at"] = lambda value: round(min(max(value, 0), 100), 2)
    themes = {"light": LIGHT.variables(), "dark": DARK.variables()}
    return environment.get_template(template).render(themes=themes, **values)
