"""The whole pipeline on real texts, through the command line, scored on texts never labelled.

Usage: python -m benchmarks.tour --data FOLDER [--keep DIR] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks import datasets
from benchmarks.machine import machine, one_line
from flows import Workspace
from tasks.core.evaluation.metrics import Scores, score

SETS = {
    "airline_tweets": ("sentiment", "airline", "negative_reason"),
    "crisislex_t26": ("information_type", "information_source"),
}
PROTOTYPE = {  # V-measure and triplets that the prototype reached
    "sentiment": (35, 77),
    "airline": (87, 98),
    "negative_reason": (30, 73),
}
QUERY = "nobody answers and I am still waiting"
SECONDS = re.compile(r"\(([\d.]+) s\)")


@dataclass(frozen=True)
class Stage:
    """One command: wall seconds around its process, and those it printed for its work alone."""

    command: str
    wall: float
    printed: float | None


@dataclass(frozen=True)
class Seen:
    """One view's scores on its held-out texts; `before` is the untransformed space."""

    data: str
    view: str
    classes: int
    labels: int
    held_out: int
    dimensions: int
    before: Scores
    after: Scores


def main() -> None:
    asked = _arguments()
    datasets.require(asked.data, list(SETS))
    with tempfile.TemporaryDirectory(prefix="refract-tour-") as temporary:
        folder = asked.keep or Path(temporary)
        stages, views = {}, []
        for name in SETS:
            stages[name] = _pipeline(asked.data, name, folder / name)
            views += _views(asked.data, name, folder / name)
    print(f"\n{one_line()}\n\n{view_table(views)}\n\n{stage_table(stages)}")
    if asked.json:
        found = {
            "machine": machine(),
            "views": [asdict(view) for view in views],
            "stages": {name: [asdict(stage) for stage in made] for name, made in stages.items()},
        }
        asked.json.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--keep", type=Path, help="make the workspaces here and leave them")
    parser.add_argument("--json", type=Path, help="write all figures to this file, too")
    return parser.parse_args()


def _pipeline(data: Path, name: str, root: Path) -> list[Stage]:
    """Run every verb once in a new workspace; the last `run` finds nothing stale."""
    print(f"\n{name}: workspace {root}", file=sys.stderr)
    made = [_refract(["init", "--git", str(root)], None)]
    params = root / "params.yaml"
    settings = params.read_text("utf-8")
    params.write_text(settings.replace("metadata: null", "metadata: []", 1), "utf-8")
    made.append(_refract(["ingest", str(datasets.file(data, name).resolve())], root))
    made.append(_refract(["embed"], root))
    for aspect in SETS[name]:
        seen = datasets.split(data, name, aspect).labelled
        seen.select("id", "label").write_csv(root / "data" / "labels" / f"{aspect}.csv")
    made += [_refract([verb], root) for verb in ("fit", "materialise", "run", "run", "status")]
    made.append(_refract(["search", QUERY, "--view", SETS[name][0], "--json"], root, quiet=True))
    return made


def _refract(words: list[str], root: Path | None, *, quiet: bool = False) -> Stage:
    """Run one command, show its lines as they come, and end the tour if it fails."""
    print(f"$ refract {' '.join(words)}", file=sys.stderr)
    command = [str(Path(sys.executable).with_name("refract")), *words]
    begun, printed = time.perf_counter(), []
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            printed += [float(found) for found in SECONDS.findall(line)]
            if not quiet:
                print(f"  {line}", end="", file=sys.stderr)
    wall = time.perf_counter() - begun
    if process.returncode:
        raise SystemExit(f"refract {words[0]}: exit code {process.returncode}")
    print(f"  {wall:.1f} s", file=sys.stderr)
    return Stage(words[0], wall, sum(printed) if printed and words[0] != "run" else None)


def _views(data: Path, name: str, root: Path) -> list[Seen]:
    workspace = Workspace(root)
    return [_seen(workspace, name, datasets.split(data, name, aspect)) for aspect in SETS[name]]


def _seen(workspace: Workspace, name: str, split: datasets.Split) -> Seen:
    print(f"scoring {name} {split.aspect}", file=sys.stderr)
    ids = split.held_out["id"].to_list()
    y = split.held_out["label"].rank("dense").to_numpy().astype(np.int64)
    base, view = (_vectors(workspace, which, ids) for which in ("base", split.aspect))
    return Seen(
        data=name,
        view=split.aspect,
        classes=split.classes,
        labels=len(split.labelled),
        held_out=len(ids),
        dimensions=view.shape[1],
        before=score(base, y),
        after=score(view, y),
    )


def _vectors(workspace: Workspace, view: str, ids: list[str]) -> np.ndarray:
    """Return the stored vectors (n, d) of the texts `ids`, in this order."""
    frame = workspace.view(view).frame()
    place = {key: at for at, key in enumerate(frame["id"])}
    return frame["vector"].to_numpy()[[place[key] for key in ids]]


def view_table(views: list[Seen]) -> str:
    """Return the scores as Markdown, a line a view."""
    lines = [
        "| texts | view | classes | labels | held out | V-measure | triplets | kNN@10 |"
        " prototype V, triplets |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for seen in views:
        changes = (
            f"{getattr(seen.before, key):.1f} → **{getattr(seen.after, key):.1f}**"
            for key in ("v_measure", "triplets", "knn")
        )
        goal = PROTOTYPE.get(seen.view)
        cells = (
            seen.data,
            seen.view,
            seen.classes,
            f"{seen.labels:,}",
            f"{seen.held_out:,}",
            *changes,
            f"{goal[0]}, {goal[1]}" if goal else "–",
        )
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines)


def stage_table(stages: dict[str, list[Stage]]) -> str:
    """Return the times as Markdown, a line a command, in the order they ran."""
    names = list(stages)
    lines = [
        "| command | " + " | ".join(f"{name}: process | work" for name in names) + " |",
        "|---|" + "--:|" * (2 * len(names)),
    ]
    for row in zip(*stages.values(), strict=True):
        cells = [row[0].command]
        for stage in row:
            work = "–" if stage.printed is None else f"{stage.printed:.1f} s"
            cells += [f"{stage.wall:.1f} s", work]
        lines.append("| " + " | ".join(cells) + " |")
    lines.append(
        "\nprocess: wall time measured around the command (imports and Prefect's ephemeral server"
        " included); work: seconds that the command printed for its own work."
    )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
