"""Labellings of one small table by an endpoint on loopback."""

import pytest

from tests.endpoint import KEY
from tests.labelling import N, encoder, make_job, make_table, truth


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.fixture(scope="module")
def settings(tiny_model):
    return encoder(tiny_model)


@pytest.fixture(scope="module")
def table(tmp_path_factory, settings):
    return make_table(tmp_path_factory.mktemp("table") / "base.lance", list(truth(N)), settings)


@pytest.fixture
def job(tmp_path, table, settings):
    return lambda endpoint, **more: make_job(tmp_path, table, settings, endpoint.url, **more)
