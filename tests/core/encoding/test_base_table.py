import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.core.documents.staging import text_hash
from tasks.core.encoding import base_table, planning, truncated
from tasks.core.encoding.encoder import Encoded
from tasks.core.encoding.featurizer import Featurizer
from tasks.core.encoding.same_encoder import check_encoder
from tasks.core.encoding.vector_space import fingerprint
from tasks.core.settings.table_sections import EmbedSettings
from tasks.core.store import layout, tables
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifests import BaseNote, EncoderNote
from tests.corpora import write_corpus_table

SPACE = EmbedSettings(model="fake", features="last", storage="float32")
LONG = 9  # characters
ABOUT = BaseNote(
    fingerprint=fingerprint(SPACE), dimensions=3, settings=EncoderNote(model="fake", prompt="")
)


class Letters:
    """Encode a text as the counts of three letters; remember what was asked for."""

    precision = "float32"
    dimensions = 3

    def __init__(self):
        self.seen = []

    has_layers = False

    def encode(self, texts, advance, read=None):
        self.seen += texts
        advance(len(texts))
        vectors = [[text.count(letter) + 1 for letter in "abc"] for text in texts]
        rows = np.array(vectors, np.float32).reshape(-1, 3)
        cut = np.array([len(text) > LONG for text in texts], bool)
        return Encoded(rows / np.linalg.norm(rows, axis=1, keepdims=True), cut)


def write_corpus(path, texts, **more):
    """Write a corpus of id → text, with the columns `more`, in small fragments."""
    columns = {"id": list(texts), "text_hash": [text_hash(text) for text in texts.values()]}
    columns |= {"text": list(texts.values()), **more}
    keys = zip(*columns.values(), strict=True)
    columns["row_hash"] = [text_hash(repr(key)) for key in keys]
    return write_corpus_table(path, pl.DataFrame(columns), rows=2)


def embed(corpus, table, encoder, storage="float32", chunk=2):
    """Do what the flow does: plan, then write and commit chunk by chunk; return the shards."""
    fresh = not layout.exists(table)
    base_table.prepare(corpus, table, fresh=fresh)
    todo, shards = planning.plan(corpus, table, rebuild=fresh), []
    for at in range(0, len(todo.rows), chunk):
        first = fresh and at == 0
        rows = todo.rows[at : at + chunk]
        advance = [].append
        shard = base_table.write_shard(
            corpus, table, rows, Featurizer(encoder), ABOUT, storage, fresh=first, advance=advance
        )
        base_table.commit_shard(corpus, table, shard, storage, fresh=first)
        shards.append(shard)
    base_table.retire_gone(corpus, table)
    return shards


def texts_of(table):
    found = {}
    for part in tables.batches(table, ["id", "text"]):
        for row in part.to_pylist():
            assert row["id"] not in found
            found[row["id"]] = row["text"]
    return found


@pytest.fixture
def table(tmp_path):
    corpus = write_corpus(tmp_path / "c.lance", {"1": "a", "2": "b", "3": "ab", "4": "c"})
    embed(corpus, tmp_path / "base.lance", Letters())
    return tmp_path / "base.lance"


def test_every_text_gets_its_own_vector_in_corpus_order(table):
    expected = Letters().encode(["a", "b", "ab", "c"], lambda _: None).vectors
    found = base_table.lookup(table, ["1", "2", "3", "4"])
    ids, vectors = found.ids, found.vectors
    order = np.argsort(ids)
    np.testing.assert_allclose(vectors[order], expected, atol=1e-6)


def test_what_is_there_is_not_planned_again(tmp_path, table):
    todo = planning.plan(tmp_path / "c.lance", table, rebuild=False)
    assert (len(todo.rows), todo.to_encode, todo.gone) == (0, 0, 0)
    again = planning.plan(tmp_path / "c.lance", table, rebuild=True)
    assert (again.rows.tolist(), again.to_encode, again.gone) == ([0, 1, 2, 3], 4, 0)


def test_a_plan_counts_what_is_new_changed_or_gone(tmp_path, table, monkeypatch):
    corpus = write_corpus(tmp_path / "c.lance", {"1": "a", "3": "cab", "4": "c", "5": "b"})
    todo = planning.plan(corpus, table, rebuild=False)
    assert base_table.read_rows(corpus, todo.rows)["id"].to_list() == ["3", "5"]
    assert (todo.to_encode, todo.gone) == (1, 1)
    monkeypatch.setattr(planning, "FEW", 0)
    again = planning.plan(corpus, table, rebuild=False)
    assert (again.rows.tolist(), again.to_encode, again.gone) == (todo.rows.tolist(), 1, 1)


@pytest.mark.parametrize("few", [0, 4_000])
def test_texts_that_repeat_others_are_parted_from_those_that_stand_first(
    tmp_path, monkeypatch, few
):
    monkeypatch.setattr(planning, "FEW", few)
    said = ["a", "b", "a", "c", "b", "a", "d"]
    corpus = write_corpus(tmp_path / "c.lance", {str(n): text for n, text in enumerate(said)})
    rows = planning.plan(corpus, tmp_path / "none.lance", rebuild=True).rows
    for chosen in (rows, rows[1:], rows[[1, 4, 6]], rows[:1]):
        texts = base_table.read_rows(corpus, chosen)["text"].to_list()
        first, repeats = planning.parted(corpus, chosen)
        at = [n for n, text in enumerate(texts) if text not in texts[:n]]
        assert first.tolist() == chosen[at].tolist()
        assert sorted([*first, *repeats]) == chosen.tolist()


def test_a_text_is_encoded_once_whatever_its_ids(tmp_path, table):
    corpus = write_corpus(
        tmp_path / "c.lance",
        {"1": "a", "2": "b", "3": "ab", "4": "c", "5": "a", "6": "new", "7": "new"},
    )
    encoder = Letters()
    shards = embed(corpus, table, encoder, chunk=3)
    assert encoder.seen == ["new"]
    counts = {
        key: sum(getattr(shard, key) for shard in shards)
        for key in ("written", "encoded", "reused")
    }
    assert counts == {"written": 3, "encoded": 1, "reused": 2}
    found = base_table.lookup(table, ["1", "5", "6", "7"])
    ids, vectors = found.ids, found.vectors
    of = dict(zip(ids, vectors, strict=True))
    np.testing.assert_array_equal(of["1"], of["5"])
    np.testing.assert_array_equal(of["6"], of["7"])


corpora = st.dictionaries(
    st.integers(0, 12).map(str), st.text("abc", min_size=1, max_size=4), min_size=1, max_size=9
)


@settings(max_examples=15, deadline=None)
@given(st.lists(corpora, min_size=2, max_size=3), st.integers(1, 4))
def test_any_history_of_corpora_ends_like_the_last_one_alone(tmp_path_factory, history, chunk):
    folder = tmp_path_factory.mktemp("history")
    table = folder / "base.lance"
    for texts in history:
        corpus = write_corpus(folder / "c.lance", texts)
        embed(corpus, table, Letters(), chunk=chunk)
    assert texts_of(table) == history[-1]
    found = base_table.lookup(table, list(history[-1]))
    ids, vectors = found.ids, found.vectors
    expected = Letters().encode([history[-1][key] for key in ids], lambda _: None).vectors
    np.testing.assert_allclose(vectors, expected, atol=1e-6)


def test_progress_counts_every_row_once(tmp_path):
    texts = {"1": "a", "2": "a", "3": "b"}
    corpus = write_corpus(tmp_path / "c.lance", texts)
    counted = []
    base_table.write_shard(
        *(corpus, tmp_path / "base.lance", np.arange(3), Featurizer(Letters()), ABOUT, "float16"),
        fresh=True,
        advance=counted.append,
    )
    assert sum(counted) == 3


def test_metadata_columns_follow_the_corpus(tmp_path, table):
    texts = {"1": "a", "2": "b", "3": "ab", "4": "c"}
    corpus = write_corpus(tmp_path / "c.lance", texts, stars=[1, 2, 3, 4])
    encoder = Letters()
    embed(corpus, table, encoder)
    assert encoder.seen == []
    found = tables.where_in(table, "id", ["3"], ["stars"])
    assert found["stars"].to_pylist() == [3]
    embed(write_corpus(tmp_path / "c.lance", texts), table, encoder)
    assert "stars" not in tables.columns(table)


def test_another_encoder_or_storage_is_never_mixed_in(tmp_path, table):
    other = SPACE.model_copy(update={"prompt": "query: "})
    check_encoder(table, SPACE)
    check_encoder(tmp_path / "none.lance", other)
    with pytest.raises(InputError, match=r"made by encoder 'fake' .* 'refract embed --rebuild'"):
        check_encoder(table, other)
    with pytest.raises(InputError, match=r"embed.storage: float16; .* 'refract embed --rebuild'"):
        check_encoder(table, SPACE.model_copy(update={"storage": "float16"}))


def test_a_sample_depends_on_the_rows_and_not_on_their_order(tmp_path):
    texts = {str(n): "abc"[: n % 3 + 1] * (n % 4 + 1) for n in range(30)}
    samples = []
    for name, order in (("x", list(texts)), ("y", list(texts)[::-1])):
        corpus = write_corpus(tmp_path / f"{name}-corpus.lance", {key: texts[key] for key in order})
        embed(corpus, tmp_path / f"{name}.lance", Letters(), chunk=7)
        found = base_table.sample(tmp_path / f"{name}.lance", 9)
        assert found.texts == [texts[key] for key in found.ids]
        samples.append(sorted(row.tobytes() for row in found.vectors))
    assert samples[0] == samples[1]
    assert len(samples[0]) == 9
    every = base_table.sample(tmp_path / "x.lance", 99)
    assert every.vectors.shape == (30, 3)
    rest = every.without(every.hashes[:1])
    assert set(rest.hashes) == set(every.hashes) - {every.hashes[0]}
    place = {key: row for row, key in enumerate(every.ids)}
    assert (rest.vectors == every.vectors[[place[key] for key in rest.ids]]).all()


def test_looking_up_ids_leaves_out_those_that_are_not_there(table):
    found = base_table.lookup(table, ["4", "nope", "o'neil"])
    ids, vectors = found.ids, found.vectors
    assert (ids, vectors.shape) == (["4"], (1, 3))


@pytest.mark.parametrize("few", [0, 4_000])
def test_keys_are_looked_up_by_id_or_hash_or_all(table, monkeypatch, few):
    monkeypatch.setattr(base_table, "FEW", few)
    keys = base_table.keys(table)

    def found(column, values):
        parts = pl.concat(keys(column, values))
        assert parts.columns == ["id", "text_hash"]
        return sorted(parts.rows())

    every = [
        (key, text_hash(text)) for key, text in zip("1234", ["a", "b", "ab", "c"], strict=True)
    ]
    assert found("id", None) == every
    assert found("id", ["4", "nope", "o'neil", "1"]) == [every[0], every[3]]
    assert found("text_hash", {text_hash("b"), text_hash("nope")}) == [every[1]]


def test_each_text_that_was_cut_is_listed_once_whatever_its_ids_and_chunks(tmp_path):
    long, longer = "a" * (LONG + 1), "b" * (LONG + 1)
    texts = {"1": long, "2": "a", "3": long, "4": longer, "5": long}
    corpus = write_corpus(tmp_path / "c.lance", texts)
    shards = embed(corpus, tmp_path / "base.lance", Letters())
    assert [each.cut for each in shards] == [[text_hash(long)], [text_hash(longer)], []]


def test_a_text_of_the_sample_counts_where_it_is_written(tmp_path):
    long = "a" * (LONG + 1)
    corpus = write_corpus(tmp_path / "c.lance", {"1": long, "2": "a", "3": long, "4": "b"})
    codes = (np.ones(3, np.float32),)
    seen = {text_hash(long): codes, text_hash("b"): codes, text_hash("elsewhere"): codes}
    coder = Featurizer(Letters(), None, seen, frozenset([text_hash(long), text_hash("elsewhere")]))
    shard = base_table.write_shard(
        corpus, tmp_path / "t", np.arange(4), coder, ABOUT, "float32", fresh=True, advance=[].append
    )
    assert shard.cut == [text_hash(long)]
    assert (shard.encoded, shard.reused) == (3, 1)


def test_the_list_of_cut_texts_counts_those_that_the_table_still_holds(tmp_path):
    list_, table = tmp_path / "truncated.npy", tmp_path / "base.lance"
    corpus = write_corpus(tmp_path / "c.lance", {"1": "a", "2": "b", "3": "b", "4": "c"})
    embed(corpus, table, Letters())
    assert truncated.total(list_, table) is None
    truncated.add(list_, [text_hash("a")], fresh=False)  # a table from before there were lists
    assert truncated.total(list_, table) is None
    truncated.add(list_, [], fresh=True)
    assert truncated.total(list_, table) == 0
    for again in (text_hash("b"), text_hash("a"), text_hash("b")):
        truncated.add(list_, [again], fresh=False)
    assert truncated.total(list_, table) == 2
    embed(write_corpus(tmp_path / "d.lance", {"1": "a", "4": "c"}), table, Letters())
    assert truncated.total(list_, table) == 1
    truncated.add(list_, [text_hash("c")], fresh=True)
    assert truncated.total(list_, table) == 1


def test_cut_texts_are_counted_part_by_part_each_once(tmp_path, monkeypatch):
    monkeypatch.setattr(truncated, "_PART", 2)
    list_, table = tmp_path / "truncated.npy", tmp_path / "base.lance"
    texts = {str(n): "abcdefgh"[n % 8] for n in range(20)}
    embed(write_corpus(tmp_path / "c.lance", texts), table, Letters())
    for cut in ("", "a", "ah", "hgfedcba", "xyz", "axbycz"):
        truncated.add(list_, [text_hash(letter) for letter in cut], fresh=True)
        assert truncated.total(list_, table) == len(set(cut) & set(texts.values()))
