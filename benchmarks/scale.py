"""What a corpus of a million texts costs, command by command, and what one changed row costs then.

    python -m benchmarks.scale [--rows 1000000] [--views 2] [--folder DIR] [--parts NAME ...]
                               [--json FILE]

Synthetic texts in raw files of 10,000, a static encoder of 384 dimensions; all else is the real
command line in a git + DVC workspace. Parts run one after another and are noted in the JSON, so
that each can be run by itself in a folder that is kept.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.command_costs import refract
from benchmarks.machine import one_line
from benchmarks.measure import in_child, say, size_of

A_ROW = 4_500  # bytes on disk with two views and DVC's cache, hardlinked; 3,900 at 1,000,000 rows
VERBS = ("ingest", "embed", "fit", "materialise")
RECORD = ("run", "--commit")
THOUSAND = 1_000


class Scale:
    """A workspace below `folder` and what has been measured of it, written down after each step."""

    def __init__(self, folder: Path, rows: int, views: int, noted: Path) -> None:
        self.root = folder / "world"
        self._folder, self._rows, self._views, self._noted = folder, rows, views, noted
        there = json.loads(noted.read_text("utf-8")) if noted.is_file() else {}
        self.found: dict[str, Any] = there or {"machine": one_line(), "rows": rows, "views": views}

    def world(self) -> None:
        """Make raw files, label files and the encoder; nothing is measured."""
        in_child("benchmarks.scale", "make_world", folder=self._folder, rows=self._rows,
                 views=self._views)  # fmt: skip

    def verb(self, verb: str) -> None:
        """Run a verb by itself, for the first time."""
        self._command(verb, verb)

    def record(self) -> None:
        """Record what the verbs have made, and commit it."""
        self._command("record", *RECORD)

    def change(self) -> None:
        """Change one row, and bring all up to date by one command."""
        self._change()
        self._command("one changed row: run --commit", *RECORD)

    def change_by_verb(self) -> None:
        """Change one row, and run each verb by itself."""
        self._change()
        for verb in VERBS:
            self._command(f"one changed row: {verb}", verb)
        self._command("one changed row: record", *RECORD)

    def rest(self) -> None:
        """Look at a workspace in which nothing is stale."""
        self._command("status", "status", "--json")
        self._command("run, nothing stale", "run")

    def search(self) -> None:
        """Search base and views by the command line, without and behind a filter."""
        [text] = in_child("benchmarks.synthetic", "queries", many=1)
        views = [f"--view={path.stem}" for path in (self.root / "data" / "views").glob("*.json")]
        ask = ("search", text, "--view=base", *sorted(views), "--json")
        self._command("search", *ask)
        self._command("search behind a 1 % filter", *ask, "--where", "bucket = 7")

    def thousand(self) -> None:
        """Look at a thousand instructions of 216 texts, of which nothing is stale."""
        folder = self._folder / "thousand"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        in_child("benchmarks.thousand", "make_thousand", folder=folder, instructions=THOUSAND)
        in_child("benchmarks.thousand", "settle", folder=folder)
        world = folder / "world"
        self._command(f"{THOUSAND:,} instructions: first status", "status", "--json", root=world)
        self._command(f"{THOUSAND:,} instructions: status --json", "status", "--json", root=world)
        self._command(f"{THOUSAND:,} instructions: status", "status", root=world)
        self._command(f"{THOUSAND:,} instructions: run, all to record", *RECORD, root=world)
        self._command(f"{THOUSAND:,} instructions: run, nothing stale", "run", root=world)
        self._command(f"{THOUSAND:,} instructions: versions", "versions", root=world)

    def recall(self) -> None:
        """Hold searches against every row looked at."""
        found = in_child("benchmarks.scale", "measure_recall", root=self.root)
        self.found["recall"] = found["tables"]
        self._write()

    def sizes(self) -> None:
        """Weigh what lies on disk."""
        data = self.root / "data"
        parts = {name: data / name for name in ("raw", "corpus", "vectors", "views")}
        parts["cache"] = self.root / ".dvc" / "cache"
        self.found["bytes"] = {name: size_of(folder) for name, folder in parts.items()}
        self._write()

    def _change(self) -> None:
        in_child("benchmarks.scale", "change_a_row", root=self.root, rows=self._rows)

    def _command(self, what: str, *words: str, root: Path | None = None) -> None:
        place = root or self.root
        cache = place / ".dvc" / "cache"
        before = size_of(cache)
        cost = asdict(refract(place, *words)) | {"cached": size_of(cache) - before}
        self.found.setdefault("commands", {})[what] = cost
        say(f"{what}: {cost}")
        self._write()

    def _write(self) -> None:
        self._noted.write_text(json.dumps(self.found, indent=2) + "\n", "utf-8")


PARTS: dict[str, Callable[[Scale], None]] = {
    "world": Scale.world,
    **{verb: partial(Scale.verb, verb=verb) for verb in VERBS},
    "record": Scale.record,
    "change": Scale.change,
    "change-by-verb": Scale.change_by_verb,
    "recall": Scale.recall,
    "rest": Scale.rest,
    "search": Scale.search,
    "sizes": Scale.sizes,
    "status1000": Scale.thousand,
}


def make_world(folder: str, rows: int, views: int) -> dict[str, object]:
    """Make the workspace that is measured, in a process of its own: this takes torch."""
    from benchmarks.synthetic import write_labels, write_model, write_raw
    from flows.init import make_workspace
    from tests.world import set_params

    root = Path(folder) / "world"
    make_workspace(root, git=True)
    model = write_model(Path(folder) / "model")
    author = "Benchmark <benchmark@example.org>"
    embed = {"model": str(model), "precision": "float32"}
    set_params(root, embed=embed, record={"author": author})
    return {"files": write_raw(root, rows), "labels": write_labels(root, views)}


def change_a_row(root: str, rows: int) -> dict[str, object]:
    """Change one row, to another text each time."""
    from benchmarks.synthetic import change_one

    return {"id": change_one(Path(root), rows, time.time_ns())}


def measure_recall(root: str) -> dict[str, object]:
    """Return what `recall` finds; that takes torch and lance."""
    from benchmarks.recall import recalls

    return {"tables": recalls(root)}


def tables(found: dict[str, Any]) -> str:
    """Return what was measured as Markdown."""
    lines = [
        found["machine"],
        "",
        f"| command at {found['rows']:,} rows, {found['views']} views | CPU s | peak MiB |"
        " of the processes | MB to DVC's cache | wall s |",
        "|---|--:|--:|---|--:|--:|",
    ]
    for what, cost in found.get("commands", {}).items():
        cached = f"{cost['cached'] / 1e6:,.2f}" if cost["cached"] else ""
        largest = sorted(cost.get("peaks", {}).items(), key=lambda each: -each[1])[:3]
        each = ", ".join(f"{name} {mib:,.0f}" for name, mib in largest)
        lines.append(
            f"| {what} | {cost['cpu']:.1f} | {cost['peak']:,.0f} | {each} | {cached} |"
            f" {cost['wall']:.1f} |"
        )
    lines += ["", "| table | filter | rows | recall@10 | worst | median ms | exact ms |"]
    lines += ["|---|---|--:|--:|--:|--:|--:|"]
    lines += [
        f"| {one['table']}, {one['dimensions']} dimensions | {one['filter']} | {one['rows']:,}"
        f" | {one['recall']:.3f} | {one['worst']:.1f} | {one['ms']:.1f} | {one['exact_ms']:.1f} |"
        for one in found.get("recall", [])
    ]
    lines += ["", "| on disk | bytes a row |", "|---|--:|"]
    for name, size in found.get("bytes", {}).items():
        lines.append(f"| {name} | {size / found['rows']:,.0f} |")
    return "\n".join(lines)


def main() -> None:
    """Measure the parts that are asked for, and print all that is noted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--views", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="where to work, and go on; default: temporary")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--json", type=Path, help="where figures are noted; default: in the folder")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scale-") as temporary:
        folder = (chosen.folder or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        needed, free = chosen.rows * A_ROW, shutil.disk_usage(folder).free
        say(f"needs some {needed / 1e9:.1f} GB in {folder}, where {free / 1e9:.1f} GB are free")
        if "world" in chosen.parts and needed > free:
            parser.error("too little room there; fewer --rows, or another --folder")
        scale = Scale(folder, chosen.rows, chosen.views, chosen.json or folder / "scale.json")
        for part in chosen.parts:
            say(part)
            PARTS[part](scale)
    print(tables(scale.found))


if __name__ == "__main__":
    main()
