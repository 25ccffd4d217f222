"""Every figure of speed that Refract promises, measured.

Usage: python -m benchmarks.speed --data FOLDER [--only NAME ...] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from benchmarks import datasets, encoding, mapping, searching, serving
from benchmarks.machine import machine, one_line
from benchmarks.measure import Figure, say

FIGURES: dict[str, Callable[[Path, Path], Figure]] = {
    "embed": encoding.rate,
    "memory": encoding.memory,
    "fit": mapping.fits,
    "materialise": mapping.materialise,
    "labels": serving.new_labels,
    "start": serving.start,
    "search": searching.search,
    "float16": encoding.float16,
}
SETS = ["agnews_partial", "airline_tweets"]


def main() -> None:
    asked = _arguments()
    datasets.require(asked.data, SETS)
    figures = {}
    with tempfile.TemporaryDirectory(prefix="refract-speed-") as folder:
        for name in asked.only or FIGURES:
            say(f"{name} …")
            figures[name] = FIGURES[name](asked.data, Path(folder))
            say(f"{name}: {figures[name].measured}")
            if asked.json:
                _keep(asked.json, figures)
    print(f"{one_line()}\n\n{table(list(figures.values()))}")


def _keep(file: Path, figures: dict[str, Figure]) -> None:
    """Write what is known so far: a later figure may fail."""
    found = {name: asdict(figure) for name, figure in figures.items()}
    text = json.dumps({"machine": machine(), "figures": found}, indent=2, default=str)
    file.write_text(text + "\n", "utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--only", nargs="+", choices=list(FIGURES), help="some figures only")
    parser.add_argument("--json", type=Path, help="write all that was measured to this file, too")
    return parser.parse_args()


def table(figures: list[Figure]) -> str:
    """Return the figures as Markdown, a line each."""
    met = {True: "yes", False: "**no**", None: "–"}
    lines = ["| figure | target | measured | met |", "|---|---|---|---|"]
    lines += [
        f"| {each.name} | {each.target} | {each.measured} | {met[each.met]} |" for each in figures
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
