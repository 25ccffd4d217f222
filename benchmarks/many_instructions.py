"""What many instructions cost in one flow run: fits of 500 labels each, and views that are lazy.

    python -m benchmarks.many_instructions [--rows 100000] [--many 50 100 200] [--folder DIR]
                                           [--workers N] [--json FILE]

Synthetic texts and a static encoder, as `benchmarks.scale` has them; an instruction is a topic or
a mood, by 500 texts of its own. For each number of instructions: the real commands `fit`,
`materialise` and `run` in a fresh copy of one workspace, and the same fits without a flow, a call
after another in one process: what `fit` takes beyond those is Prefect and its own start. With
workers the engine is Dask with so many on this machine, and the fits without a flow are left out.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.command_costs import refract
from benchmarks.machine import one_line
from benchmarks.measure import in_child, peak_mib, say, size_of

LABELS = 500


def make_world(folder: str, rows: int) -> dict[str, object]:
    """Make the workspace, its corpus still to be taken in."""
    from benchmarks import scale
    from tests.world import set_params

    made = scale.make_world(folder, rows, 0)
    set_params(Path(folder) / "world", materialise={"mode": "lazy"})
    return made


def write_labels(root: str, rows: int, many: int) -> dict[str, object]:
    """Write a label file of 500 texts for each of so many instructions."""
    import polars as pl

    from benchmarks.synthetic import FILE, frame

    folder = Path(root) / "data" / "labels"
    for n in range(many):
        start = n * 7 % -(-rows // FILE) * FILE
        texts = frame(start, FILE).head(rows - start).sample(LABELS, seed=n)
        labels = texts.select("id", pl.col(("topic", "mood")[n % 2]).alias("label"))
        labels.write_csv(folder / f"aspect{n:04}.csv")
    return {"files": many}


def bare(root: str) -> dict[str, object]:
    """Do all fits of a workspace in this process, without a flow; nothing is put in its place."""
    from flows.fit import _job
    from flows.state.staleness import wanted_labels
    from tasks.core.settings.params import load_params
    from tasks.core.workspace.paths import Paths
    from tasks.fit import fit_instruction

    paths = Paths(Path(root))
    params = load_params(paths.params)
    begun, used = time.perf_counter(), time.process_time()
    for name, file in wanted_labels(paths, []).items():
        fit_instruction.fn(_job(paths, params, name, file, force=True))
    return {
        "wall": time.perf_counter() - begun,
        "cpu": time.process_time() - used,
        "peak": peak_mib(),
    }


def on_workers(root: str, workers: int) -> dict[str, object]:
    """Have a workspace's flows run on so many workers of this machine."""
    from tests.world import set_params

    set_params(Path(root), engine={"runner": "dask", "workers": workers})
    return {"workers": workers}


def measured(base: Path, rows: int, many: int, workers: int = 0) -> dict[str, Any]:
    """Return what each step costs for so many instructions, in a copy of `base`.

    workers: those of an engine; 0: none, the flow's own process.
    """
    root = base.with_name(f"world{many}")
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(base, root)
    in_child("benchmarks.many_instructions", "write_labels", root=root, rows=rows, many=many)
    if workers:
        in_child("benchmarks.many_instructions", "on_workers", root=root, workers=workers)
    found: dict[str, Any] = {"instructions": many, "workers": workers}
    for what, words in (("fit", ["fit"]), ("materialise", ["materialise"]), ("record", ["run"])):
        found[what] = asdict(refract(root, *words))
        say(f"{many} instructions, {what}: {found[what]}")
    found["status"] = asdict(refract(root, "status", "--json"))
    data = root / "data"
    found["bytes"] = {name: size_of(data / name) for name in ("transforms", "views")}
    if not workers:
        found["bare"] = in_child("benchmarks.many_instructions", "bare", root=root)
        say(f"{many} instructions, without a flow: {found['bare']}")
    shutil.rmtree(root)
    return found


def table(found: list[dict[str, Any]]) -> str:
    """Return what was measured as Markdown."""
    lines = [
        "| instructions | step | CPU s | each | of Prefect's server | wall s | peak MiB |",
        "|--:|---|--:|--:|--:|--:|--:|",
    ]
    for one in found:
        many = one["instructions"]
        for what in ("fit", "bare", "materialise", "record", "status"):
            if what not in one:
                continue
            cost = one[what]
            lines.append(
                f"| {many:,} | {'the fits, without a flow' if what == 'bare' else what}"
                f" | {cost['cpu']:,.1f} | {cost['cpu'] / many:.3f}"
                f" | {_server(cost):,.1f} | {cost['wall']:,.1f}"
                f" | {cost['peak']:,.0f} |"
            )
        sizes = {name: size / many for name, size in one["bytes"].items()}
        lines.append(f"| {many:,} | bytes an instruction: {sizes} | | | | | |")
    return "\n".join(lines)


def _server(cost: dict[str, Any]) -> float:
    seconds: dict[str, float] = cost.get("spent", {})
    return sum(spent for name, spent in seconds.items() if name.endswith("prefect_server"))


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--many", type=int, nargs="+", default=[50, 100, 200])
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where to work; its corpus is kept there")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    os.environ["REFRACT_TRUST"] = "*"  # workspaces are copied
    with tempfile.TemporaryDirectory(prefix="many-") as temporary:
        folder = (chosen.folder or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        base = folder / "world"
        if not base.is_dir():
            in_child("benchmarks.many_instructions", "make_world", folder=folder, rows=chosen.rows)
            for verb in ("ingest", "embed"):
                say(f"{verb}: {refract(base, verb)}")
        found = [measured(base, chosen.rows, many, chosen.workers) for many in chosen.many]
    print(f"{one_line()}\n\n{table(found)}")
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
