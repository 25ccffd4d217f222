"""A desk for each test."""

import pytest

from tests.core.corpus.desk import Workspace


@pytest.fixture
def desk(tmp_path):
    return Workspace(tmp_path)
