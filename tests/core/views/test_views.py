import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
import pytest

from refract.lancedb import vector_at
from tasks.core.encoding.encoder import Encoded
from tasks.core.store import arrow, tables
from tasks.core.store.searcher import Searcher
from tasks.core.text.ngrams import READ
from tasks.core.transforms.base import fit, load, save
from tasks.core.transforms.discriminant import Discriminant
from tasks.core.views import export, publishing
from tasks.core.views.search import Space
from tasks.core.views.transforming import transformed
from tasks.core.views.view_rows import StoredRows
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifest import object_of
from tasks.core.workspace.manifests import Card
from tests.asked import Given

ABOUT = {"fingerprint": "enc", "dimensions": 6}
SETTINGS = {"temperature": None, "novelty": None, "floor": 0.1, "residual": 2}


def write_base(table, names, seed=0, about=None):
    """Replace the base table: the vector of a name depends on the name and `seed` only."""
    vectors = np.stack([_vector(name, seed) for name in names])
    frame = pl.DataFrame(
        {
            "id": names,
            "text_hash": [f"t-{name}-{seed}" for name in names],
            "row_hash": [f"r-{name}-{seed}" for name in names],
            "text": names,
            "channel": [("email", "chat")[n % 2] for n in range(len(names))],
        }
    )
    made = arrow.assemble(frame, {tables.VECTOR: arrow.vector_array(vectors, "float16")})
    note = ABOUT | (about or {})
    fragments = tables.write_fragments(table, made, note, fresh=True)
    tables.commit_whole(table, made.schema, note, fragments)
    return vectors


def _vector(name, seed):
    values = np.random.default_rng([*name.encode(), seed]).standard_normal(6)
    return (values / np.linalg.norm(values)).astype(np.float32)


def make_transform(folder, seed=1, residual=2):
    rng = np.random.default_rng(seed)
    y = np.arange(40) % 2
    x = rng.standard_normal((40, 6)) + np.where(y[:, None], 2, -2) * np.eye(6)[0]
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    made = fit("discriminant", x, y, ("angry", "glad"), x, SETTINGS | {"residual": residual}, seed)
    save(folder, made, Card(fingerprint=f"transform-{seed}", encoder="enc"))
    return made


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


class World:
    def __init__(self, root):
        self.base, self.view, self.folder = root / "base.lance", root / "v.lance", root / "mood"
        self.names = [f"n{n:02}" for n in range(30)]
        write_base(self.base, self.names)
        self.transform = make_transform(self.folder)

    def materialise(self, chunk=7):
        """Do what the flow does, without a checkpoint; return the plan."""
        about = publishing.describe(self.folder, "float32")
        version = tables.version(self.base)
        tables.rewind(self.view)
        todo = publishing.plan(self.base, version, self.view, about)
        written = [
            publishing.write_shard(
                *(self.base, version, self.view, todo.rows[at : at + chunk]),
                *(self.transform, about),
                whole=todo.whole,
                advance=lambda _: None,
            )
            for at in range(0, len(todo.rows), chunk)
        ]
        publishing.publish(*(self.base, version, self.view, todo, written, about), index_from=10**6)
        return todo

    def rows(self):
        frame = export.frame(StoredRows(self.view, live=True)).sort("id")
        assert frame["id"].is_unique().all()
        return frame


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


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


class OneVector:
    dimensions = 6

    def __init__(self, precision):
        self.precision = precision

    has_layers = False

    def encode(self, texts, advance, read=None):
        return Encoded(np.eye(6, dtype=np.float32)[: len(texts)], np.zeros(len(texts), bool))


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


def refit(world, kept, seed):
    """Publish the view under another transform, of one dimension more for each even seed."""
    world.transform = make_transform(world.folder, seed, residual=2 - seed % 2)
    publishing.keep_transform(kept, world.folder, f"transform-{seed}")
    world.materialise()


@pytest.fixture
def space(world, tmp_path):
    """The view of a world under its second transform, and where transforms are kept."""
    kept = tmp_path / "kept"
    refit(world, kept, 2)
    return Space(world.base, world.view, lambda name: kept / name, Given(OneVector), None)


def test_a_text_has_a_vector_in_an_earlier_version_as_long_as_its_transform_is_kept(
    world, space, tmp_path
):
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
