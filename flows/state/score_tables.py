"""The scores of all views as tables, for plots: they follow from the score files alone."""

from __future__ import annotations

from itertools import product

from tasks.core.evaluation.measures import MEASURES
from tasks.core.workspace.files import write_text
from tasks.core.workspace.manifest import read_manifest
from tasks.core.workspace.manifests import ByMeasure, Scores
from tasks.core.workspace.paths import Paths

WHEN = ("before", "after")
SPACES = ("generic", "view")  # what they are called on bars, in the order of the alphabet


def write_tables(paths: Paths) -> None:
    """Write both tables, where they are not what the scores say."""
    for place, text in (
        (paths.score_table, _score_table(paths)),
        (paths.shift_table, _shift_table(paths)),
    ):
        if not place.is_file() or place.read_bytes() != text.encode():
            write_text(place, text)


def _score_table(paths: Paths) -> str:
    """Return the scores of all instructions as CSV, a line each."""
    lines = ["instruction,texts," + ",".join(f"{key}_{when}" for key in MEASURES for when in WHEN)]
    for file in sorted(paths.metric_folder.glob("*.json")):
        scores = read_manifest(file, Scores) or Scores()
        values = [_figures(scores, when).get(key) for key in MEASURES for when in WHEN]
        cells = [file.stem, scores.texts, *values]
        lines.append(",".join("" if cell is None else str(cell) for cell in cells))
    return "\n".join(lines) + "\n"


def _shift_table(paths: Paths) -> str:
    """Return the same scores as CSV for bars: where one is higher shows what a view adds."""
    lines = ["bar,score"]
    for file in sorted(paths.metric_folder.glob("*.json")):
        scores = read_manifest(file, Scores) or Scores()
        for key, (when, space) in product(MEASURES, zip(WHEN, SPACES, strict=True)):
            value = _figures(scores, when).get(key)
            if value is not None:
                lines.append(f"{file.stem} / {key} / {space},{value}")
    return "\n".join(lines) + "\n"


def _figures(scores: Scores, when: str) -> ByMeasure:
    return scores.before if when == "before" else scores.after
