"""Keys of a store, for those who ask one."""

import pytest

from tests.buckets import KEYS


@pytest.fixture
def keys(monkeypatch):
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
