"""Which engine a workspace gets."""

import sys

import pytest

from flows.engine.choosing import engine
from flows.engine.here import Here
from flows.engine.piece import Piece
from tasks import progress
from tasks.core.settings.running_sections import EngineSettings
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths


def test_a_flow_within_a_flow_has_the_engine_of_the_one_around_it(tmp_path):
    paths = Paths(tmp_path)
    with engine(paths, EngineSettings()) as outer, engine(paths, EngineSettings()) as inner:
        assert inner is outer
    with engine(paths, EngineSettings()) as later:
        assert later is not outer


def test_without_the_extra_dask_is_refused_with_the_way_on(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "prefect_dask", None)
    monkeypatch.delitem(sys.modules, "flows.engine.on_dask", raising=False)
    with (
        pytest.raises(InputError, match=r"engine.runner: dask needs .*'\.\[dask\]'.* local"),
        engine(Paths(tmp_path), EngineSettings(runner="dask")),
    ):
        pass


def test_here_what_a_task_counts_and_what_it_was_worth_are_the_same():
    counted = []

    def work(parts):
        for n in parts:
            progress.advance(n)
        if not parts:
            raise InputError("of no use")
        return sum(parts)

    pieces = [Piece({"parts": parts}, 10, str) for parts in ([4, 6], [3], [])]
    results = Here().run(work, pieces, counted.append)
    assert next(results)[1]() == 10
    assert counted == [4, 6, 0]
    assert next(results)[1]() == 3
    assert counted[3:] == [3, 7]
    with pytest.raises(InputError, match="of no use"):
        next(results)[1]()
    assert sum(counted) == 30
