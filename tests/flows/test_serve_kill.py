"""SIGKILL of `refract serve` at random moments while label files and documents arrive."""

import os
import shutil

import pytest

from flows.run import run
from flows.server import own_server
from tasks.core.paths import Paths
from tests.chaos import Reader, torment
from tests.same import assert_same
from tests.serving import Served, nothing_left
from tests.world import make_world

KILLS = 20


@pytest.fixture
def server(tmp_path, monkeypatch):
    """The URL of a real Prefect server with all its services."""
    for name in [name for name in os.environ if name.startswith("PREFECT_SERVER_SERVICES")]:
        monkeypatch.delenv(name)
    with own_server(Paths(tmp_path / "server"), 0) as own:
        yield own.url


@pytest.mark.server
@pytest.mark.timeout(900)
def test_killed_twenty_times_it_ends_like_a_run_that_never_was(tmp_path, tiny_model, server):
    root = make_world(tmp_path / "desk", str(tiny_model))
    run(root)
    reader = Reader(root, "mood")
    reader.start()
    lives = torment(root, tmp_path / "log", KILLS, seed=3, server=server)
    assert len(lives) == KILLS
    last = Served(root, tmp_path / "log", server=server).ready()
    try:
        last.wait_until(lambda: nothing_left(root), "rest after the kills")
    finally:
        last.end()
        reader.end()
    run(root)  # documents that changed wait for the next cron, or for this
    assert reader.errors == []
    assert reader.searches > KILLS
    calm = tmp_path / "calm"
    for part in ("data/raw", "data/labels"):
        shutil.copytree(root / part, calm / part)
    for file in ("params.yaml", "dvc.yaml"):
        shutil.copy(root / file, calm / file)
    run(calm)
    assert_same(root, calm)
