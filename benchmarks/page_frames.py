"""Frames a second of the page's map in a headless Chromium without a graphics card.

    python -m benchmarks.page_frames --points 1000000

The points come from memory (`tests.pretended_explore`), so that nothing else works meanwhile.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from tests.browser import Browser
from tests.pretended_explore import Pretended, corpus

PATIENCE = 300.0  # seconds until a million points are there
SECONDS = 5
MOVED = """(async () => {
  const map = refract.maps.view, first = map.frames, began = performance.now();
  for (let n = 0; performance.now() - began < %d; n++) {
    if (%s) map._share = 1;
    map.camera.pan(n %% 2 ? 3 : -3, 0);
    map.ask();
    await new Promise((drawn) => requestAnimationFrame(drawn));
  }
  return (1000 * (map.frames - first)) / (performance.now() - began);
})()"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=1_000_000)
    points = parser.parse_args().points
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        Browser(Path(folder), "--enable-unsafe-swiftshader") as browser,
        Pretended(corpus(points)) as service,
    ):
        page = browser.open(f"{service.url}/#maps=one", 1440, 900)
        page.until("document.documentElement?.dataset.ready === 'true'", PATIENCE)
        page.until("!!refract.model.paint && !refract.maps.view.moving", PATIENCE)
        found = {
            "points": points,
            "frames a second": round(page.run(MOVED % (1_000 * SECONDS, "false")), 1),
            "share of the points drawn": round(page.run("refract.maps.view._share"), 3),
            "frames a second with all drawn": round(page.run(MOVED % (1_000 * SECONDS, "true")), 2),
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
