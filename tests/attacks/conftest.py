"""A search of the small table that conditions select rows of; a workspace of others."""

import os
import shutil

import numpy as np
import pyarrow as pa
import pytest

from tasks.core.store import arrow, tables
from tasks.core.store.searcher import Searcher
from tests.attacks.conditions import ROWS
from tests.hostile import make_workspace_of_others


@pytest.fixture(scope="session")
def selected(tmp_path_factory):
    table = tmp_path_factory.mktemp("where") / "t.lance"
    vectors = arrow.vector_array(np.ones((len(ROWS), 2)), "float32")
    rows = ROWS.to_arrow().append_column("vector", vectors)
    schema = pa.schema([field.remove_metadata() for field in rows.schema])
    tables.commit_whole(table, schema, {}, tables.write_fragments(table, rows, {}, fresh=True))
    searcher = Searcher(table, live=False)

    def ask(where):
        hits = searcher.nearest(np.ones(2), len(ROWS), where, ["id"])
        return sorted(hit.row["id"] for hit in hits)

    return ask


@pytest.fixture
def strangers(monkeypatch, tmp_path):
    monkeypatch.delenv("REFRACT_TRUST", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)


@pytest.fixture(scope="module")
def _origin(tmp_path_factory):
    folder = tmp_path_factory.mktemp("others")
    return make_workspace_of_others(folder / "origin", folder / "store")


@pytest.fixture
def spared(tmp_path):
    """A folder outside with something in it, where also what is run would leave its mark."""
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "diary.txt").write_text("mine")
    return tmp_path / "victim"


@pytest.fixture
def origin(_origin, tmp_path):
    return shutil.copytree(_origin, tmp_path / "origin", symlinks=True)
