"""Figures that a user feels: a new label file, the start of a command, a search."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import polars as pl

from benchmarks import datasets
from benchmarks.encoding import decided
from benchmarks.measure import Figure, middle, no_progress, say, seconds
from flows import Workspace
from flows.init import make_workspace
from flows.runtime.prefect_settings import no_heartbeats, settle
from tasks.core.encoding.encoder import Encoded, load_encoder
from tasks.core.numerics.rows import unit_rows
from tasks.core.settings.table_sections import EmbedSettings
from tasks.core.workspace.paths import Paths

TEXTS = 50_000
LABELS = 3_000
RATE_TEXTS = 768
SAMPLE = 3_000  # texts encoded where all would take longer than this:
ENCODE_ALL = 600.0  # seconds
TRIALS = 3
STARTS = 5
HOME = Path(__file__).resolve().parents[1]
_SETTINGS = EmbedSettings()


@cache
def world(data: Path, folder: Path) -> tuple[Path, dict[str, Any]]:
    """Make a workspace of 50,000 news texts in this process, by the real flows, and time them."""
    root = folder / "news"
    make_workspace(root, git=False)
    params = root / "params.yaml"
    settings = params.read_text("utf-8").replace("metadata: null", "metadata: []", 1)
    params.write_text(settings, "utf-8")
    texts = datasets.read(data, "agnews_partial")[:TEXTS]
    texts.select("id", "text").write_parquet(root / "data" / "raw" / "news.parquet")
    settle(Paths(root))
    found: dict[str, Any] = {"import Prefect": seconds(_import_flows)}
    from flows.embed import embed
    from flows.ingest import ingest

    say(f"new labels: ingest of {len(texts):,} texts, then Prefect's server is warm")
    found["ingest, server started"] = seconds(lambda: ingest(root))
    found["ingest, server warm"] = seconds(lambda: ingest(root))
    decided(texts["text"].to_list())
    found["texts_per_second"] = [_rate(texts, seed) for seed in range(2)]
    estimate = len(texts) / median(found["texts_per_second"])
    found["encoded all"] = estimate <= ENCODE_ALL
    how = "all of them" if found["encoded all"] else f"a sample: all would take {estimate:.0f} s"
    say(f"new labels: encoding {len(texts):,} texts, {how}")
    with nullcontext() if found["encoded all"] else _stand_in(texts):
        found["embed"] = embed(root).seconds
    say(f"new labels: base vectors after {found['embed']:.0f} s")
    return root, found


def _rate(texts: pl.DataFrame, seed: int) -> float:
    """Return the encoder's texts per second on some of the texts, here and now."""
    some = texts["text"].sample(RATE_TEXTS, seed=seed).to_list()
    return len(some) / seconds(lambda: load_encoder(_SETTINGS).encode(some, no_progress))


class _Resampled:
    """Gives each text the vector of a real one of its topic, a little moved, and its states."""

    dimensions = 384
    has_layers = True

    def __init__(self, texts: pl.DataFrame) -> None:
        real = load_encoder(_SETTINGS)
        some = texts.sample(SAMPLE, seed=9)
        self.precision = real.precision
        found = real.encode(some["text"].to_list(), no_progress, np.copy)
        self._vectors, self._states = found.vectors, found.kept
        self._of = {key: np.flatnonzero(some["topic"] == key) for key in some["topic"].unique()}
        self._topic = dict(texts.select("text", "topic").iter_rows())
        self._random = np.random.default_rng(1)

    def encode(
        self, texts: Sequence[str], advance: Callable[[int], None], read: Any = None
    ) -> Encoded:
        rows = [self._random.choice(self._of[self._topic[text]]) for text in texts]
        moved = 0.03 * self._random.standard_normal((len(rows), self.dimensions), np.float32)
        kept = None if read is None or self._states is None else read(self._states[rows])
        advance(len(rows))
        return Encoded(unit_rows(self._vectors[rows] + moved), np.zeros(len(rows), bool), kept)


@contextmanager
def _stand_in(texts: pl.DataFrame) -> Iterator[None]:
    """Let the embed flow take `_Resampled` for the encoder."""
    import tasks.embed

    real, stand_in = tasks.embed.load_encoder, _Resampled(texts)
    tasks.embed.load_encoder = lambda settings: stand_in
    try:
        yield
    finally:
        tasks.embed.load_encoder = real


def _import_flows() -> None:
    import flows.embed
    import flows.fit
    import flows.ingest
    import flows.materialise  # noqa: F401


def new_labels(data: Path, folder: Path) -> Figure:
    """Time fit + materialise + first hit for label files that were not there before."""
    root, found = world(data, folder)
    from flows.fit import fit
    from flows.materialise import materialise

    texts = datasets.read(data, "agnews_partial")[:TEXTS]
    _write_labels(root, texts, "warmup", 300, 0)
    fit(root, ["warmup"])
    materialise(root, ["warmup"])
    Workspace(root).view("warmup").hits("markets fell on Friday", 10)
    laps = defaultdict(list)
    for trial in range(TRIALS):
        name = f"topic{trial}"
        _write_labels(root, texts, name, LABELS, trial + 1)
        found["texts_per_second"].append(_rate(texts, trial + 2))
        begun = time.perf_counter()
        with no_heartbeats():  # as in the flow that a label file starts under `serve`
            fit(root, [name])
            fitted = time.perf_counter()
            materialise(root, [name])
        written = time.perf_counter()
        Workspace(root).view(name).hits("markets fell on Friday", 10)
        done = time.perf_counter()
        laps["fit"].append(fitted - begun)
        laps["materialise"].append(written - fitted)
        laps["first hit"].append(done - written)
        laps["all"].append(done - begun)
        laps["share"].append(TEXTS / found["texts_per_second"][-1] / laps["all"][-1])
        say(f"new labels: {name} searchable in {laps['all'][-1]:.2f} s")
    typed = _typed(root, texts)
    share = median(laps["share"])
    names = ("fit", "materialise", "first hit")
    parts = ", ".join(f"{name} {median(laps[name]):.2f} s" for name in names)
    rate = median(found["texts_per_second"])
    encoding = f"{TEXTS / rate:.0f} s at {rate:,.0f} texts/s measured on {RATE_TEXTS:,} before each"
    if found["encoded all"]:
        encoding += f" (all encoded: {found['embed']:.0f} s)"
    return Figure(
        f"a new label file ({LABELS:,} labels) on {TEXTS:,} texts: fit + materialise to first hit,"
        " warm process, against encoding the texts",
        "≤ 1/100",
        f"{median(laps['all']):.2f} s ({parts}) against {encoding}: 1/{share:,.0f};"
        f" as two commands with Prefect's start-up: {typed['fit']:.0f} + "
        f"{typed['materialise']:.0f} s",
        share >= 100,
        {**found, "laps": dict(laps), "commands": typed},
    )


def _typed(root: Path, texts: pl.DataFrame) -> dict[str, float]:
    """Time the same as two commands, each with its own process and ephemeral server."""
    _write_labels(root, texts, "typed", LABELS, 99)
    return {verb: seconds(lambda v=verb: _refract(root, v)) for verb in ("fit", "materialise")}


def _write_labels(root: Path, texts: pl.DataFrame, name: str, n: int, seed: int) -> None:
    some = texts.sample(n, seed=seed, shuffle=True)
    file = root / "data" / "labels" / f"{name}.csv"
    some.select("id", pl.col("topic").alias("label")).write_csv(file)


def _refract(root: Path, *words: str) -> None:
    command = [str(Path(sys.executable).with_name("refract")), *words]
    # This process runs a server of its own; the command must start and pay for one.
    env = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
    env["REFRACT_LINGER"] = "0"
    subprocess.run(command, cwd=root, env=env, stdout=subprocess.DEVNULL, check=True)


def start(_: Path, folder: Path) -> Figure:
    """Time commands that have nothing to make, on a copy of the sample that ships with Refract."""
    root = folder / "sample"
    make_workspace(root, git=True)
    shutil.copyfile(HOME / "params.yaml", root / "params.yaml")
    for part in ("raw", "labels"):
        shutil.copytree(HOME / "data" / part, root / "data" / part, dirs_exist_ok=True)
    say("start: the sample's first run")
    first = seconds(lambda: _refract(root, "run"))
    limits = {"--help": 0.3, "status": 2.0, "run": 2.0}
    found, used = {}, {}
    for word in limits:
        before = _processor_seconds()
        found[word] = middle(lambda w=word: _refract(root, w), STARTS)
        used[word] = (_processor_seconds() - before) / STARTS
    python = middle(lambda: subprocess.run([sys.executable, "-c", ""], check=True), STARTS)
    say(f"start: {found}, bare Python {python:.3f} s")
    said = ", ".join(
        f"{word} {taken:.2f} s (of processor {used[word]:.2f})" for word, taken in found.items()
    )
    return Figure(
        f"start-up, median of {STARTS}: refract --help, status, run with nothing stale",
        "< 0.3 s, < 2 s, < 2 s",
        f"{said}; python -c '' {python:.2f} s; the sample's first run {first:.0f} s",
        all(found[word] < limit for word, limit in limits.items()),
        {**found, "processor": used, "python": python, "first run": first},
    )


def _processor_seconds() -> float:
    """Return what ended child processes have used: what other programs do changes it little."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
