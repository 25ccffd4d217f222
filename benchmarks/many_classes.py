"""What very many classes cost: seconds, memory and what is found, up to 2,000 of them.

Usage: python -m benchmarks.many_classes

Synthetic texts: unit vectors around centres of classes, which lie around centres of groups, so that
classes of one group are alike; five labelled texts a class, and five to be found.
"""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np

from benchmarks.machine import one_line
from tasks.core.numerics.rows import unit_rows
from tasks.core.settings.params import Params
from tasks.core.transforms.base import fit

CLASSES = (151, 500, 1_000, 2_000)
EACH, GROUP, D, SPREAD = 5, 20, 384, 4.0
SEED = 1


def main() -> None:
    if len(sys.argv) > 1:
        print(_measured(int(sys.argv[1])))
        return
    print(f"{one_line()}\n")
    print("| classes | labels | fit, CPU s | peak, MB | rows/s | right | nearest mean | experts |")
    print("|--:|--:|--:|--:|--:|--:|--:|---|")
    for k in CLASSES:
        command = [sys.executable, "-m", "benchmarks.many_classes", str(k)]
        print(subprocess.run(command, check=True, capture_output=True, text=True).stdout, end="")


def _measured(k: int) -> str:
    import resource

    random = np.random.default_rng(SEED)
    groups = unit_rows(random.normal(size=(k // GROUP + 1, D)))
    centres = unit_rows(groups[np.arange(k) // GROUP] + unit_rows(random.normal(size=(k, D))))

    def drawn() -> np.ndarray:
        noise = unit_rows(random.normal(size=(k * EACH, D)))
        return unit_rows(np.repeat(centres, EACH, axis=0) + SPREAD * noise)

    y, labels = np.repeat(np.arange(k), EACH), tuple(f"{c:04d}" for c in range(k))
    x, held = drawn(), drawn()
    settings = Params().fit.method_settings()
    begun = time.process_time()
    made = fit("auto", x, y, labels, held[:4_096], settings, SEED)
    taken = time.process_time() - begun
    begun = time.process_time()
    found = made.apply(held)
    rate = len(held) / (time.process_time() - begun)
    means = unit_rows(np.stack([x[y == c].mean(0) for c in range(k)]))
    nearest = ((held @ means.T).argmax(1) == y).mean()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    weights = made.settings().model_dump()["settings"].get("weights", {"discriminant": 1.0})
    asked = ", ".join(f"{name} {weight:.2f}" for name, weight in weights.items())
    right = 100 * (found.label == y).mean()
    return (
        f"| {k:,} | {len(y):,} | {taken:.1f} | {peak:,.0f} | {rate:,.0f} | {right:.1f} |"
        f" {100 * nearest:.1f} | {asked} |"
    )


if __name__ == "__main__":
    main()
