"""A hundred and sixty changes of label files in a minute, while the folder itself is mistreated."""

import os
import random
import shutil
import time
from collections import Counter

import pytest

from flows import Workspace
from tasks.core.store import tables
from tasks.core.workspace.files import content_hash
from tasks.core.workspace.paths import Paths
from tests.serving import Served, fitted_from, nothing_left
from tests.world import documents, make_world, set_params

pytestmark = [pytest.mark.attack, pytest.mark.server, pytest.mark.timeout(1_800)]

NAMES = [f"aspect{n}" for n in range(5)]
CHANGES = 160
PAUSE = 0.4  # seconds between two changes
KEEP = 4


def labelled(rows):
    return "id,label\n" + "".join(f"{row['id']},{row['mood']}\n" for row in rows)


def loop(folder):
    (folder / "loop").symlink_to("loop")


def pipe(folder):
    os.mkfifo(folder / "pipe.csv")


def dangling(folder):
    (folder / "dangling.csv").symlink_to("nowhere.csv")


def no_encoding(folder):
    (folder / os.fsdecode(b"\xff\xfe.csv")).write_text("id,label\n")


def folder_of_files(folder):
    (folder / "tone").mkdir()
    (folder / "tone" / "a.csv").write_text("id,label\n")


def file_for_a_folder(folder):
    shutil.rmtree(folder / "tone")
    (folder / "tone").write_text("no folder\n")


def away_and_back(folder):
    folder.rename(f"{folder}.away")
    time.sleep(0.7)
    folder.with_name(f"{folder.name}.away").rename(folder)


def removed_and_made_anew(folder):
    held = {path.name: path.read_bytes() for path in folder.iterdir() if path.stem in NAMES}
    shutil.rmtree(folder)
    time.sleep(0.3)
    folder.mkdir()
    for name, content in held.items():
        (folder / name).write_bytes(content)


MISTREATMENTS = [
    *(loop, pipe, away_and_back, dangling, no_encoding, folder_of_files, file_for_a_folder),
    *(removed_and_made_anew, loop, folder_of_files, away_and_back, file_for_a_folder),
]


def runs_of(desk, flow):
    found, page = [], None
    question = {"flows": {"name": {"any_": [flow]}}, "sort": "EXPECTED_START_TIME_ASC"}
    while page is None or len(page) == 200:
        page = desk.api("flow_runs/filter", question | {"limit": 200, "offset": len(found)})
        found += page
    return found


def waiting(desk):
    scheduled = {"state": {"type": {"any_": ["SCHEDULED"]}}, "expected_start_time": {}}
    scheduled["expected_start_time"]["before_"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    question = {"flow_runs": scheduled, "flows": {"name": {"any_": ["labels"]}}, "limit": 200}
    return len(desk.api("flow_runs/filter", question))


def storm(desk, folder, seed):
    """Rewrite the five label files again and again; return how many runs waited, at most."""
    chance, rows, most = random.Random(seed), documents(), 0
    for n in range(CHANGES):
        name = NAMES[n % 5] if n >= CHANGES - 5 else chance.choice(NAMES)
        chosen = sorted(chance.sample(range(72), 40))
        (folder / f"{name}.csv").write_text(labelled([rows[at] for at in chosen]))
        if n % 13 == 12:
            MISTREATMENTS[n // 13](folder)
        if n % 5 == 4:
            most = max(most, waiting(desk))
        time.sleep(PAUSE)
    return most


def test_of_a_storm_of_changes_few_are_run_the_last_is_seen_and_the_upkeep_has_its_turn(
    tmp_path, tiny_model, capsys
):
    root = make_world(tmp_path / "desk", str(tiny_model))
    shutil.rmtree(root / "data" / "labels")
    serve = {"port": 0, "settle": 0.1, "reconcile": 3_600, "maintain": "* * * * *"}
    set_params(root, serve=serve, materialise={"keep": KEEP})
    folder = root / "data" / "labels"
    desk = Served(root, tmp_path / "log").ready()
    try:
        desk.wait_until(lambda: Paths(root).stamp("embed").is_file(), "vectors")
        folder.mkdir()
        began = time.time()
        most = storm(desk, folder, seed=14)
        upkeep = runs_of(desk, "maintain")
        lasted = time.time() - began
        for name in NAMES:
            last = content_hash(folder / f"{name}.csv")
            desk.wait_until(lambda n=name, h=last: fitted_from(root, n) == h, f"view {name}")
        for odd in ("loop", "pipe.csv", "dangling.csv", "tone", os.fsdecode(b"\xff\xfe.csv")):
            (folder / odd).unlink(missing_ok=True)
        desk.wait_until(lambda: waiting(desk) == 0 and nothing_left(root), "rest")
        labels = Counter(run["state"]["name"] for run in runs_of(desk, "labels"))
        versions = {n: len(tables.open_table(Paths(root).view_table(n)).versions()) for n in NAMES}
        kept = {
            n: len(list((root / "data" / "views" / f"{n}.transforms").iterdir())) for n in NAMES
        }
    finally:
        desk.end()
    begun = Counter(run["state"]["name"] for run in upkeep if run["start_time"])
    with capsys.disabled():
        print(
            f"\n{CHANGES} changes in {lasted:.0f} s: runs of labels {dict(labels)}, at most {most}"
            f" waiting; upkeep {dict(begun)} meanwhile; versions {versions}, transforms {kept}"
        )
    assert Workspace(root).views == NAMES
    assert begun["Completed"] >= 1
    assert most <= 2 * len(NAMES)
    assert sum(labels.values()) - labels["Merged"] < CHANGES / 2
    assert max(versions.values()) <= KEEP + 1
    assert max(kept.values()) <= KEEP
    assert "Traceback" not in desk.said()
