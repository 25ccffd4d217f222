"""SIGKILL of `refract serve` at random moments while label files and documents arrive."""

import os

import pytest

from flows.runtime.prefect_server import own_server
from tasks.core.workspace.paths import Paths
from tests.chaos import survive


@pytest.fixture
def server(tmp_path, monkeypatch):
    """The URL of a real Prefect server with all its services."""
    for name in [name for name in os.environ if name.startswith("PREFECT_SERVER_SERVICES")]:
        monkeypatch.delenv(name)
    with own_server(Paths(tmp_path / "server"), 0) as own:
        monkeypatch.setenv("PREFECT_API_AUTH_STRING", own.note.secret)
        yield own.note.url


@pytest.mark.server
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kills", [6, pytest.param(20, marks=pytest.mark.attack)])
def test_killed_again_and_again_it_ends_like_a_run_that_never_was(
    tmp_path, tiny_model, server, kills
):
    ordeal = survive(tmp_path, tiny_model, kills, seed=3, server=server)
    assert len(ordeal.lives) == kills
    assert ordeal.errors == []
    assert ordeal.searches > kills
