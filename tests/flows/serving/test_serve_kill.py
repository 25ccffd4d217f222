"""SIGKILL of `refract serve` at random moments while label files and documents arrive."""

import pytest

from flows.runtime.server.prefect_server import own_server
from tasks.core.workspace.paths import Paths
from tests.chaos import survive
from tests.serving import NEEDED_BY_SERVE


@pytest.fixture
def server(tmp_path, monkeypatch):
    """The URL of a real Prefect server with all services that matter here."""
    for service in NEEDED_BY_SERVE:
        monkeypatch.delenv(f"PREFECT_SERVER_SERVICES_{service}_ENABLED")
    with own_server(Paths(tmp_path / "server"), 0) as own:
        monkeypatch.setenv("PREFECT_API_AUTH_STRING", own.note.secret)
        yield own.note.url


@pytest.mark.server
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kills", [4, pytest.param(20, marks=pytest.mark.attack)])
def test_killed_again_and_again_it_ends_like_a_run_that_never_was(
    tmp_path, tiny_model, server, kills
):
    ordeal = survive(tmp_path, tiny_model, kills, seed=3, server=server)
    assert len(ordeal.lives) == kills
    assert ordeal.errors == []
    assert ordeal.searches > kills
