"""What workers gain and cost: texts a second by one and by two, and processor seconds a chunk.

    python -m benchmarks.engine [--texts 12288] [--chunk 1024] [--rounds 3] [--json FILE]

The sample's messages, numbered so that each is another text, are embedded by the bundled encoder:
by this process, by one worker, and by two, one thread each, in turns. Before each turn its workers
embed a few chunks to warm up. Measure when nothing else runs: two workers need two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is loaded, here and in the workers
os.environ["PREFECT_LOGGING_TO_API_ENABLED"] = "false"

import polars as pl
import psutil

from benchmarks.machine import one_line
from benchmarks.measure import say
from flows.init import make_workspace
from flows.runtime.prefect_settings import be_quiet, keep_to, use
from flows.runtime.server.prefect_server import own_server
from tasks.core.settings.running_sections import EngineSettings
from tasks.core.store import tables
from tasks.core.workspace.paths import Paths
from tests.world import make_model, set_params

SAMPLE = Path(__file__).parents[1] / "data" / "raw" / "support.csv"
WAYS = {"this process": 0, "one worker": 1, "two workers": 2}
WARM = 4  # chunks that come before
CHUNKS = 64  # by the tiny encoder


@dataclass(frozen=True)
class Work:
    """What is embedded in each turn, and by which encoder."""

    texts: int
    chunk: int
    model: str
    precision: str


def make(root: Path, first: int, texts: int, work: Work) -> Path:
    """Make a workspace of `texts` messages, numbered from `first` on, and its corpus."""
    from flows.ingest import ingest

    make_workspace(root, git=False)
    settings = {"chunk": work.chunk, "model": work.model, "precision": work.precision}
    set_params(root, embed={**settings, "features": "last"})
    known = pl.read_csv(SAMPLE)["text"]
    rows = [f"{known[n % len(known)]} ({n})" for n in range(first, first + texts)]
    frame = pl.DataFrame({"id": [f"t{n}" for n in range(texts)], "text": rows})
    frame.write_parquet(root / "data" / "raw" / "texts.parquet")
    ingest(root)
    return root


@contextmanager
def workers(n: int, root: Path) -> Iterator[Callable[[], float]]:
    """Let flows run on `n` workers, or here; yield what tells the processor seconds so far."""
    from flows.engine.choosing import engine

    settings = EngineSettings(runner="dask" if n else "local", workers=max(1, n))
    with engine(Paths(root), settings) as made:

        def used() -> float:
            """Sum up this process, Prefect's server, and the workers."""
            servers = [child for child in psutil.Process().children() if _serves(child)]
            apart = sum(sum(child.cpu_times()[:2]) for child in servers)
            there = made._started().client.run(time.process_time) if n else {}
            return time.process_time() + apart + sum(there.values())

        yield used


def _serves(process: psutil.Process) -> bool:
    return any("prefect_server" in word for word in process.cmdline())


def turn(n: int, folder: Path, work: Work) -> dict[str, float]:
    """Embed by `n` workers once; return texts a second between two commits, and seconds used."""
    from flows.embed import embed

    warm = make(folder / "warm", 10**6, WARM * work.chunk, work)
    root = make(folder / "root", 0, work.texts, work)
    with workers(n, root) as used:
        embed(warm)
        before = used()
        embed(root)
        taken = used() - before
    chunks = work.texts // work.chunk
    made = tables.open_table(Paths(root).base_table).versions()[:chunks]
    times = [each["timestamp"].timestamp() for each in made]
    # the first two commits may belong to two workers that have begun together
    rate = (work.texts - 2 * work.chunk) / (times[-1] - times[1])
    return {"rate": rate, "processor": taken, "a_chunk": taken / chunks}


def in_turns(work: Work, rounds: int) -> dict[str, list[dict[str, float]]]:
    """Take all ways in turns."""
    turns: dict[str, list[dict[str, float]]] = {name: [] for name in WAYS}
    for at in range(rounds):
        for name, n in list(WAYS.items())[:: 1 if at % 2 else -1]:
            with tempfile.TemporaryDirectory(prefix="refract-engine-") as folder:
                found = turn(n, Path(folder), work)
            turns[name].append(found)
            say(f"{name}: {found['rate']:,.0f} texts/s, {found['a_chunk']:.2f} CPU s a chunk")
    return turns


def measure(texts: int, chunk: int, rounds: int, tiny: Path) -> dict[str, Any]:
    """Return rates and processor seconds by way, their ratios, and what handing out a chunk costs.

    The last by a tiny encoder, whose own work is next to nothing.
    """
    from tasks.core.encoding.encoder import faster_precision
    from tasks.core.settings.table_sections import EmbedSettings

    light = in_turns(Work(CHUNKS * 16, 16, str(make_model(tiny)), "float32"), rounds)
    settings = EmbedSettings()
    precision = faster_precision(settings, pl.read_csv(SAMPLE)["text"][:32].to_list())
    turns = in_turns(Work(texts, chunk, settings.model, precision), rounds)
    here, one, two = WAYS
    overhead = {
        name: median(
            a["a_chunk"] - b["a_chunk"] for a, b in zip(light[name], light[here], strict=True)
        )
        for name in (one, two)
    }

    def ratio(key: str) -> float:
        return median(b[key] / a[key] for a, b in zip(turns[one], turns[two], strict=True))

    return {
        "precision": precision,
        "texts": texts,
        "chunk": chunk,
        "texts_per_second": {
            name: median(each["rate"] for each in found) for name, found in turns.items()
        },
        "two_workers_over_one": ratio("rate"),
        "processor_two_over_one": ratio("processor"),
        "overhead_a_chunk": overhead,
        "turns": turns,
        "light": light,
    }


def main() -> None:
    """Measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--texts", type=int, default=12_288)
    parser.add_argument("--chunk", type=int, default=1_024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="refract-server-") as name:
        paths = Paths(Path(name))
        paths.state.mkdir()
        be_quiet()
        keep_to(paths)
        with own_server(paths, 0) as own:
            use(own.note)
            found = measure(chosen.texts, chosen.chunk, chosen.rounds, Path(name) / "tiny")
    text = json.dumps({"machine": one_line(), **found}, indent=2, ensure_ascii=False)
    if chosen.json:
        chosen.json.write_text(text + "\n", "utf-8")
    print(text)


if __name__ == "__main__":
    main()
