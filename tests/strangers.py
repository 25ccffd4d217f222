"""A workspace of others, with a remote of its own, and a folder that is none of its business.

Fixtures, for the `conftest.py` of tests that need them.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.hostile import make_workspace_of_others


@pytest.fixture
def strangers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Vouch for nothing, and keep the machine's own settings of git out."""
    monkeypatch.delenv("REFRACT_TRUST", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)


@pytest.fixture(scope="session")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("others")
    return make_workspace_of_others(folder / "origin", folder / "store")


@pytest.fixture
def origin(others: Path, tmp_path: Path) -> Path:
    """A workspace of others, to be cloned or unpacked."""
    return shutil.copytree(others, tmp_path / "origin", symlinks=True)


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A folder outside with something in it, where also what is run would leave its mark."""
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "diary.txt").write_text("mine")
    return tmp_path / "victim"
