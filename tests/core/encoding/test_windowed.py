"""Long texts read whole: the codes of their windows, pooled by length."""

import numpy as np
import pytest

from tasks.core.encoding import base_table, windowed
from tasks.core.encoding.encoder import load_encoder
from tasks.core.encoding.featurizer import fit_coder, load_coder
from tasks.core.encoding.same_encoder import check_encoder
from tasks.core.encoding.vector_space import fingerprint
from tasks.core.encoding.windowed import Windowed
from tasks.core.encoding.windows import MOST
from tasks.core.numerics.rows import unit_rows
from tasks.core.query.encoder import load_query_encoder
from tasks.core.settings.table_sections import EmbedSettings
from tasks.core.workspace.errors import InputError
from tests.world import make_layered_model, make_model

SHORT = "thank you so much"
LONG = " ".join(f"the refund number {n} never arrived" for n in range(60))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(make_layered_model(tmp_path_factory.mktemp("model") / "layered"))


@pytest.fixture(scope="module")
def settings(model):
    return EmbedSettings(
        model=model, device="cpu", precision="float32", max_length=16, long="windows"
    )


@pytest.fixture(scope="module")
def cut(settings):
    return load_query_encoder(settings.model_copy(update={"long": "cut"}))


@pytest.fixture(scope="module")
def whole(settings):
    return load_query_encoder(settings)


def encoded(encoder, texts, read=np.copy):
    done = []
    found = encoder.encode(texts, done.append, read)
    assert sum(done) == len(texts)
    return found


def test_a_text_that_is_read_at_once_is_what_it_was_bit_for_bit(cut, whole):
    was, now = encoded(cut, [SHORT, ""]), encoded(whole, [SHORT, ""])
    np.testing.assert_array_equal(now.vectors, was.vectors)
    np.testing.assert_array_equal(now.kept, was.kept)
    assert not now.cut.any()


def test_a_long_text_is_the_mean_of_its_windows_by_their_pieces(cut, whole):
    windows, more = cut.cutter(MOST).cut(LONG)
    parts = encoded(cut, [LONG[each.start : each.stop] for each in windows])
    assert len(windows) > 3 and not more and not parts.cut.any()
    weights = np.array([each.pieces for each in windows]) / sum(each.pieces for each in windows)
    found = encoded(whole, [SHORT, LONG, SHORT])
    np.testing.assert_allclose(
        found.vectors[1], unit_rows((weights @ parts.vectors)[None])[0], atol=1e-6
    )
    np.testing.assert_allclose(found.kept[1], np.tensordot(weights, parts.kept, 1), atol=1e-5)
    np.testing.assert_array_equal(found.vectors[0], found.vectors[2])
    assert list(encoded(cut, [SHORT, LONG]).cut) == [False, True]
    assert not found.cut.any() and list(found.windowed) == [False, True, False]


def test_features_of_a_long_text_are_the_same_in_the_sample_and_behind_it(whole, tmp_path):
    """Both are read off the mean of its states, of which the map of features is not affine."""
    texts = {str(n): f"{LONG[n : n + 400]} {SHORT}" for n in range(0, 360, 30)} | {"short": SHORT}
    made = fit_coder(whole, texts, 16, tmp_path / "memory", lambda _: None)
    again = load_coder(whole, made.reduction, tmp_path / "memory")
    seen = again.seen
    (vectors, features), cut, windowed = made.code(list(texts.values()), lambda _: None)
    np.testing.assert_allclose(vectors, [seen[key][0] for key in texts], atol=1e-6)
    np.testing.assert_allclose(features, [seen[key][1] for key in texts], atol=1e-5)
    assert not cut.any() and not again.cut
    assert again.windowed == {key for key, was in zip(texts, windowed, strict=True) if was}
    assert again.windowed == texts.keys() - {"short"}


def test_what_is_pooled_is_the_same_whatever_is_encoded_at_a_time(whole, monkeypatch):
    texts = [LONG, SHORT, LONG[:700], "", LONG]
    at_once = encoded(whole, texts)
    monkeypatch.setattr(windowed, "_GROUP", 3)
    in_turn = encoded(whole, texts)
    np.testing.assert_allclose(in_turn.vectors, at_once.vectors, atol=1e-6)
    np.testing.assert_allclose(in_turn.kept, at_once.kept, atol=1e-5)


def test_of_a_huge_text_the_first_windows_are_read_and_it_counts_as_cut(whole):
    found = encoded(whole, [LONG * 40, LONG])
    assert list(found.cut) == [True, False] and found.windowed.all()
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("long", ["cut", "windows"])
def test_a_prompt_that_leaves_no_room_for_a_text_is_refused(settings, long):
    crowded = settings.model_copy(update={"prompt": "refund " * 14, "long": long})
    with pytest.raises(InputError, match=r"embed\.prompt: it takes all the word pieces .* shorten"):
        load_query_encoder(crowded).cutter(MOST)


@pytest.mark.encoder
def test_windows_of_the_bundled_encoder_are_as_long_as_it_reads_before_and_after_it_has_read():
    """Its tokenizer pads to 128 pieces until a batch is read: these are none of a prompt's."""
    settings = EmbedSettings(device="cpu", precision="float32", prompt="query: ")
    encoder, other = load_encoder.__wrapped__(settings), load_query_encoder(settings)
    first = encoder.cutter(MOST).cut(LONG)
    encoder.encode([SHORT, LONG], lambda _: None)
    assert first == encoder.cutter(MOST).cut(LONG) == other.cutter(MOST).cut(LONG)
    assert max(each.pieces for each in first[0]) > 240


def test_no_texts_are_no_vectors(whole):
    assert whole.encode([], lambda _: None).vectors.shape == (0, whole.dimensions)


def test_a_static_encoder_reads_every_text_at_once(tmp_path):
    at = str(make_model(tmp_path / "static"))
    found = load_query_encoder(EmbedSettings(model=at, device="cpu", long="windows"))
    assert not isinstance(found, Windowed)


def test_it_is_another_space_and_tables_of_both_are_not_mixed(settings, tmp_path, monkeypatch):
    other = settings.model_copy(update={"long": "cut"})
    assert fingerprint(other) != fingerprint(settings)
    monkeypatch.setattr("tasks.core.store.layout.exists", lambda _: True)
    monkeypatch.setattr(
        base_table, "note_of", lambda _: base_table.BaseNote(fingerprint=fingerprint(other))
    )
    monkeypatch.setattr(
        "tasks.core.store.tables.open_table", lambda _: type("Table", (), {"schema": []})
    )
    with pytest.raises(
        InputError, match=r"made with embed\.long: cut, but params\.yaml says windows"
    ):
        check_encoder(tmp_path / "base.lance", settings)
