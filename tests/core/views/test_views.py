import json

import numpy as np
import polars as pl
import pytest

from tasks.core.store import arrow, tables
from tasks.core.text.ngrams import READ
from tasks.core.transforms.base import fit, load
from tasks.core.views import export, publishing
from tasks.core.views.transforming import transformed
from tasks.core.views.view_rows import StoredRows
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifest import object_of
from tests.core.views.small_world import World, make_transform, write_base


def test_of_long_texts_no_more_is_handed_on_than_is_read(monkeypatch):
    """Counted in characters, not bytes; the view is that of the whole texts."""
    y = np.arange(90) % 2
    x = np.random.default_rng(0).standard_normal((90, 6)).astype(np.float32)
    said = [f"{('żółw', 'słoń')[c]} {n} {'é ' * 990}" for n, c in enumerate(y)]
    made = fit("auto", x, y, ("angry", "glad"), x, {}, 1, texts=said)
    assert made.reads_text
    wanted, handed, apply = made.apply(x, None, said).vectors, [], made.apply
    monkeypatch.setattr(made, "apply", lambda *rows: handed.extend(rows[2]) or apply(*rows))
    frame = pl.DataFrame({"id": [str(n) for n in range(90)], "text": said})
    rows = arrow.assemble(frame, {tables.VECTOR: arrow.vector_array(x, "float32")})
    batch = rows.combine_chunks().to_batches()[0]
    view = transformed(batch, ["id"], made, "float32")
    assert {len(text) for text in handed} == {READ}
    np.testing.assert_allclose(arrow.vectors_of(view.column(tables.VECTOR)), wanted, atol=1e-6)


@pytest.mark.parametrize("chunk", [1, 7, 100])
def test_a_view_is_the_transform_of_every_base_vector_whatever_the_chunks(world, chunk):
    assert world.materialise(chunk).whole
    frame = world.rows()
    assert frame["id"].to_list() == world.names
    stored = export.frame(StoredRows(world.base, live=False)).sort("id")["vector"].to_numpy()
    expected = world.transform.apply(stored)
    np.testing.assert_allclose(frame["vector"].to_numpy(), expected.vectors, atol=1e-6)
    labels = [world.transform.labels[at] for at in expected.label]
    assert frame["label"].to_list() == labels
    np.testing.assert_allclose(frame["confidence"].to_numpy(), expected.confidence, atol=1e-6)
    np.testing.assert_allclose(frame["novelty"].to_numpy(), expected.novelty, atol=1e-6)
    assert frame["channel"].to_list() == ["email", "chat"] * 15


def test_a_view_that_is_up_to_date_has_nothing_to_write(world):
    world.materialise()
    before = tables.version(world.view)
    todo = world.materialise()
    assert (todo.whole, len(todo.rows), len(todo.retired)) == (False, 0, 0)
    assert tables.version(world.view) == before


def test_only_rows_that_changed_are_written_again(world):
    world.materialise()
    old = world.rows()
    write_base(world.base, [*world.names[3:], "new"])
    todo = world.materialise()
    assert (todo.whole, len(todo.rows), len(todo.retired)) == (False, 1, 3)
    assert world.rows()["id"].to_list() == sorted([*world.names[3:], "new"])
    kept = world.rows().filter(pl.col("id") != "new")
    np.testing.assert_array_equal(kept["vector"].to_numpy(), old["vector"].to_numpy()[3:])


def test_a_new_transform_or_storage_writes_every_row_anew(world):
    world.materialise()
    world.transform = make_transform(world.folder, seed=2)
    assert world.materialise().whole
    about = publishing.describe(world.folder, "float16")
    assert publishing.plan(world.base, tables.version(world.base), world.view, about).whole


def test_readers_see_the_old_rows_until_the_new_ones_are_published(world, monkeypatch):
    world.materialise()
    old = world.rows()
    world.transform = make_transform(world.folder, seed=2)

    def crash(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(tables, "publish", crash)
        with pytest.raises(KeyboardInterrupt):
            world.materialise()
    assert world.rows().equals(old)
    world.materialise()
    assert not world.rows().equals(old)


def test_a_crash_between_commit_and_publication_doubles_no_row(world, monkeypatch):
    world.materialise()
    write_base(world.base, [*world.names, "new"])

    def crash(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(tables, "publish", crash)
        with pytest.raises(KeyboardInterrupt):
            world.materialise()
    world.materialise()
    assert world.rows()["id"].to_list() == sorted([*world.names, "new"])


def test_the_order_of_the_base_table_does_not_matter(world, tmp_path):
    world.materialise()
    (tmp_path / "other").mkdir()
    other = World(tmp_path / "other")
    write_base(other.base, world.names[::-1])
    other.materialise()
    mine, theirs = world.rows(), other.rows()
    assert mine.drop("vector", "channel", "confidence", "novelty").equals(
        theirs.drop("vector", "channel", "confidence", "novelty")
    )
    np.testing.assert_allclose(mine["vector"].to_numpy(), theirs["vector"].to_numpy(), atol=1e-6)


def test_a_kept_transform_is_the_one_that_made_the_view(world, tmp_path):
    kept = tmp_path / "kept"
    publishing.keep_transform(kept, world.folder, "a")
    old = (kept / "a" / "transform.safetensors").read_bytes()
    make_transform(world.folder, seed=2)
    publishing.keep_transform(kept, world.folder, "b")
    assert (kept / "a" / "transform.safetensors").read_bytes() == old
    assert load(kept / "b")[1].fingerprint == "transform-2"
    assert not list(kept.rglob("*.tmp"))


def test_a_broken_copy_of_a_transform_is_replaced(world, tmp_path):
    publishing.keep_transform(tmp_path / "kept", world.folder, "a")
    file = tmp_path / "kept" / "a" / "transform.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[:-3])
    publishing.keep_transform(tmp_path / "kept", world.folder, "a")
    assert file.read_bytes() == whole


def test_a_view_is_described_by_what_it_was_made_from(world):
    assert object_of(publishing.describe(world.folder, "float16")) == {
        "transform": "transform-1",
        "encoder": "enc",
        "method": "discriminant",
        "dimensions": 6,
        "size": world.transform.size,
        "storage": "float16",
    }
    with pytest.raises(InputError, match="run 'refract fit none --force'"):
        publishing.describe(world.folder.with_name("none"), "float16")


def test_a_frame_leaves_out_what_only_keeps_the_table_fresh(world):
    world.materialise()
    expected = ["id", "channel", "vector", "label", "confidence", "novelty"]
    assert world.rows().columns == expected
    base = StoredRows(world.base, live=False)
    assert export.frame(base).columns == ["id", "text", "channel", "vector"]


def test_exports_hold_the_same_rows_and_replace_older_ones_whole(world, tmp_path):
    world.materialise()
    frame = world.rows()
    for rows in (frame[:3], frame):
        export.export_parquet(rows, tmp_path / "v.parquet")
        export.export_npy(rows, tmp_path / "v.npy")
    assert pl.read_parquet(tmp_path / "v.parquet").equals(frame)
    saved = np.load(tmp_path / "v.npy", allow_pickle=False)
    np.testing.assert_array_equal(saved, frame["vector"].to_numpy())
    assert json.loads((tmp_path / "v.ids.json").read_text()) == frame["id"].to_list()
    assert not list(tmp_path.glob(".*.tmp"))
