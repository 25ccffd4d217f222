"""Which engine a workspace gets."""

import shutil
import sys
from contextlib import nullcontext

import pytest
from prefect import task

import flows.materialise
from flows.engine import choosing
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


class Watched(Here):
    """This process, and how many of its works somebody still may ask for results."""

    def __init__(self):
        self.open = 0

    def run(self, task, pieces, advance):
        self.open += 1
        try:
            yield from super().run(task, pieces, advance)
        finally:
            self.open -= 1


@task(name="materialise shard")
def of_no_use(job, part):
    raise InputError(f"view {job.name!r}: of no use")


def test_the_pieces_of_a_view_that_fails_are_let_go_before_the_next_view(made, monkeypatch):
    watched, seen = Watched(), []
    begun = flows.materialise._full

    def each(*arguments, **more):
        seen.append(watched.open)
        return begun(*arguments, **more)

    monkeypatch.setattr(choosing, "_made", lambda *_: nullcontext(watched))
    monkeypatch.setattr(flows.materialise, "materialise_shard", of_no_use)
    monkeypatch.setattr(flows.materialise, "_full", each)
    for name in ("mood", "topic"):
        Paths(made).view_stamp(name).unlink()
        shutil.rmtree(Paths(made).view_table(name))
    with pytest.raises(InputError, match=r"'mood': of no use; view 'topic': of no use"):
        flows.materialise.materialise(made)
    assert seen == [0, 0]
