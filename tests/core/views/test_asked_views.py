"""A view that is asked: by one version and its own transform, whoever writes meanwhile."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tasks.core.store import tables
from tasks.core.store.searcher import Searcher
from tasks.core.transforms.discriminant import Discriminant
from tasks.core.views import export, publishing
from tasks.core.views.search import Space
from tasks.core.views.view_rows import StoredRows
from tasks.core.workspace.errors import InputError
from tests.asked import Given
from tests.core.views.small_world import OneVector, make_transform, refit, write_base


def test_rows_are_never_searched_by_another_transform_than_their_own(world, tmp_path):
    kept = tmp_path / "kept"
    publishing.keep_transform(kept, world.folder, "transform-1")
    world.materialise()
    space = Space(world.base, world.view, lambda name: kept / name, Given(OneVector), None)
    assert len(space.search("x", k=3)) == 3
    world.transform = make_transform(world.folder, seed=2)
    world.materialise()  # its own copy is missing
    for _ in range(2):
        with pytest.raises(InputError, match="transform-2"):
            space.search("x", k=3)
    publishing.keep_transform(kept, world.folder, "transform-2")
    assert len(space.search("x", k=3)) == 3


@pytest.fixture
def space(world, tmp_path):
    """The view of a world under its second transform, and where transforms are kept."""
    kept = tmp_path / "kept"
    refit(world, kept, 2)
    return Space(world.base, world.view, lambda name: kept / name, Given(OneVector), None)


def test_a_text_has_a_vector_in_an_earlier_version_as_long_as_its_transform_is_kept(
    world, space, tmp_path
):
    from refract.lancedb import vector_at  # LanceDB's own client takes seconds to import

    kept = tmp_path / "kept" / "transform-2"
    before = publishing.note_of(world.view, tables.version(world.view))
    vector = vector_at(space, "x", before, kept)
    refit(world, tmp_path / "kept", 3)
    after = publishing.note_of(world.view, tables.version(world.view))
    np.testing.assert_array_equal(vector_at(space, "x", before, kept), vector)
    assert vector_at(space, "x", after, kept).shape != vector.shape
    shutil.rmtree(kept)
    with pytest.raises(InputError, match="found no whole transform, by which this version"):
        vector_at(space, "x", before, kept)


def test_a_text_has_no_vector_in_a_version_of_another_encoder(world, space):
    from refract.lancedb import vector_at  # LanceDB's own client takes seconds to import

    note = publishing.note_of(world.view, tables.version(world.view))
    with pytest.raises(InputError, match="made by another encoder"):
        vector_at(space, "x", note.changed(encoder="another"), world.folder)


@pytest.mark.parametrize(
    ("question", "owner", "moment"),
    [("search", Discriminant, "apply"), ("similar", Searcher, "vector_of")],
)
def test_a_question_is_answered_by_one_version_whoever_asks_meanwhile(
    world, space, tmp_path, monkeypatch, question, owner, moment
):
    def ask():
        return getattr(space, question)("x" if question == "search" else "n03", k=20)

    expected, real = ask(), getattr(owner, moment)

    def between(*arguments):
        found = real(*arguments)
        monkeypatch.undo()
        refit(world, tmp_path / "kept", 3)  # another thread's question follows it at once
        assert ask() != expected
        return found

    monkeypatch.setattr(owner, moment, between)
    assert ask() == expected


def test_four_threads_share_a_view_while_it_is_refitted(world, space, tmp_path):
    end = threading.Event()

    def read():
        answers = 0
        while not end.is_set():
            assert len(space.search("x", k=20)) == len(space.similar("n03", k=20)) == 20
            frame = export.frame(StoredRows(world.view, live=True))
            assert frame["vector"].dtype.shape[0] in (3, 4)
            answers += 1
        return answers

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(4)]
        try:
            for seed in range(3, 15):
                refit(world, tmp_path / "kept", seed)
        finally:
            end.set()
        assert all(reader.result() > 0 for reader in readers)


@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
def test_a_query_is_encoded_in_the_precision_of_the_base_vectors(world, precision):
    write_base(world.base, world.names, about={"settings": {"precision": precision}})
    asked = []

    def encoder(wanted):
        asked.append(wanted)
        return OneVector(wanted)

    assert len(Space(world.base, None, None, Given(encoder), None).search("x", k=2)) == 2
    assert asked == [precision]
