"""What versions cost: bytes in DVC's cache per new row and per refitted view, seconds of checkout.

    python -m benchmarks.growth [--rows 200000] [--folder FOLDER]

The texts are random words and their vectors those of a tiny static encoder of 384 dimensions;
everything else is the real pipeline through the command line, in a real git + DVC repository.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.machine import one_line
from benchmarks.measure import MIB, say, seconds
from tasks.core.settings.table_sections import EmbedSettings
from tests.world import documents, make_model, make_world, set_params

DIMENSIONS = 384
LABELLED = 2_000
WORDS = sorted({word for row in documents() for word in row["text"].replace(",", " ").split()})


def rows(start: int, stop: int) -> list[list[str]]:
    """Return texts of twelve random words, the same for the same position."""
    made = []
    for n in range(start, stop):
        draw = random.Random(n)
        made.append([f"r{n:07}", " ".join(draw.choices(WORDS, k=12))])
    return made


def add_rows(root: Path, start: int, stop: int) -> None:
    """Add a file of documents, as an export job would."""
    path = root / "data" / "raw" / f"rows-{start:07}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerows([["id", "text"], *rows(start, stop)])


def label(root: Path, name: str, word: str, count: int) -> None:
    """Label the first `count` texts by whether they hold one of the words from `word` on."""
    chosen = set(WORDS[WORDS.index(word) :][:4])
    path = root / "data" / "labels" / f"{name}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "label"])
        for key, text in rows(0, count):
            writer.writerow([key, "yes" if chosen & set(text.split()) else "no"])


def refract(root: Path, *arguments: str) -> None:
    quiet = os.environ | {"HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "flows", *arguments, "--root", str(root)]
    done = subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)


def used(folder: Path) -> int:
    """Return the bytes of files below `folder`."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def unshared(folder: Path) -> int:
    """Return the bytes below `folder` that no hardlink shares with the cache."""
    files = [path.stat() for path in folder.rglob("*") if path.is_file()]
    return sum(stat.st_size for stat in files if stat.st_nlink == 1)


class Growth:
    """A workspace whose cache is measured after every recorded run."""

    def __init__(self, folder: Path, total: int) -> None:
        model = make_model(folder / "model", DIMENSIONS)
        self.root = make_world(folder / "world", str(model), git=True)
        self.cache = self.root / ".dvc" / "cache"
        self.total = total
        for old in (self.root / "data").glob("*/*.csv"):
            old.unlink()
        author = "Benchmark <benchmark@example.org>"
        chunk = EmbedSettings().chunk  # the tests' world has tiny ones
        embed = {"storage": "float16", "chunk": chunk}
        set_params(self.root, embed=embed, record={"author": author})

    def record(self, what: str) -> dict[str, float]:
        """Run and commit; return the seconds, and the MiB that the cache grew by."""
        before = used(self.cache) if self.cache.is_dir() else 0
        took = seconds(lambda: refract(self.root, "run", "--commit"))
        found = {"seconds": round(took, 1), "cache_mib": (used(self.cache) - before) / MIB}
        say(f"{what}: {found}")
        return found

    def measure(self) -> dict[str, object]:
        root, total = self.root, self.total
        add_rows(root, 0, total)
        label(root, "first", WORDS[3], LABELLED)
        label(root, "second", WORDS[9], LABELLED)
        found: dict[str, object] = {"rows": total, "first": self.record("first version")}
        self._tag("v1")
        add_rows(root, total, total + total // 100)
        found["one_percent"] = self.record("1 % more rows")
        self._tag("v2")
        label(root, "first", WORDS[3], LABELLED + 200)
        found["refit"] = self.record("one view refitted")
        data = root / "data"
        found["size_mib"] = {
            "base vectors": used(data / "vectors") / MIB,
            "views": used(data / "views") / MIB,
            "cache": used(self.cache) / MIB,
            "unshared": unshared(data) / MIB,
        }
        found["checkout_seconds"] = {
            f"{n} {rev}": round(seconds(lambda rev=rev: refract(root, "checkout", rev)), 1)
            for n, rev in enumerate(("v1", "main", "v1", "v2", "main"), 1)
        }
        return found

    def _tag(self, name: str) -> None:
        subprocess.run(["git", "tag", name], cwd=self.root, check=True)


def main() -> None:
    """Measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--folder", type=Path, help="where to work; default: a temporary folder")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        found = Growth(Path(folder), chosen.rows).measure()
    print(json.dumps({"machine": one_line(), **found}, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
