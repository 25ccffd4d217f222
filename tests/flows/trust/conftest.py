"""A workspace of others, with a remote of its own, and a folder that is none of its business."""

import os
import shutil

import pytest

from tests.hostile import make_workspace_of_others


@pytest.fixture(autouse=True)
def _strangers(monkeypatch, tmp_path):
    """Vouch for nothing, and keep the machine's own settings of git out."""
    monkeypatch.delenv("REFRACT_TRUST")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)


@pytest.fixture(scope="session")
def _origin(tmp_path_factory):
    folder = tmp_path_factory.mktemp("others")
    return make_workspace_of_others(folder / "origin", folder / "store")


@pytest.fixture
def origin(_origin, tmp_path):
    return shutil.copytree(_origin, tmp_path / "origin", symlinks=True)


@pytest.fixture
def victim(tmp_path):
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "diary.txt").write_text("mine")
    return tmp_path / "victim"
