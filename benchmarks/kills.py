"""SIGKILL of `refract serve`, again and again, while labels and documents arrive.

    python -m benchmarks.kills [--kills 200] [--seed 1]

It ends with an error if the views are other than those of a run that was never killed, or if a
reader that searched all the while met an error or a mixture.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.machine import one_line
from flows.runtime.prefect_settings import be_quiet, keep_to, use
from flows.runtime.server.prefect_server import own_server
from tasks.core.workspace.paths import Paths
from tests.chaos import survive
from tests.world import make_model


def main() -> None:
    """Kill, compare, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="refract-kills-") as name:
        folder = Path(name)
        paths = Paths(folder / "server")
        be_quiet()
        keep_to(paths)
        with own_server(paths, 0) as own:
            use(own.note)
            model = make_model(folder / "model")
            ordeal = survive(folder, model, chosen.kills, chosen.seed, own.note.url)
    if ordeal.errors:
        raise SystemExit(f"a reader met {len(ordeal.errors)} errors, the first: {ordeal.errors[0]}")
    found = {
        "kills": len(ordeal.lives),
        "seconds_lived": {"median": median(ordeal.lives), "longest": max(ordeal.lives)},
        "searches_meanwhile": ordeal.searches,
        "same_as_never_killed": True,
    }
    print(json.dumps({"machine": one_line(), **found}, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
