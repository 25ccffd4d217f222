"""Features: what of the encoder's layers is kept, and how it is reduced."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.encoding.encoder import load_encoder
from tasks.core.encoding.features import directions, fit_layer_pca, load_layer_pca
from tasks.core.encoding.featurizer import Featurizer, fit_coder, load_coder
from tasks.core.settings.table_sections import EmbedSettings
from tasks.core.workspace.errors import InputError
from tests.world import documents, make_layered_model

TEXTS = [row["text"] for row in documents()]


def states_of(n, layers=3, size=8, seed=0):
    random = np.random.default_rng(seed)
    mixed = random.standard_normal((layers * size, layers * size))
    rows = random.standard_normal((n, layers * size)) @ mixed
    return rows.reshape(n, layers, size).astype(np.float32)


@given(st.integers(2, 60), st.integers(1, 24), st.integers(0, 9))
def test_components_are_orthonormal_however_few_the_texts(n, size, seed):
    P = fit_layer_pca(states_of(n, seed=seed), size).components
    assert P.shape == (24, size)
    np.testing.assert_allclose(P.T @ P, np.eye(size), atol=1e-5)


def test_all_components_keep_every_distance():
    states = states_of(200)
    reduction = fit_layer_pca(states, 24)
    found, whole = reduction.apply(states), directions(states, reduction.centres)
    wanted = np.linalg.norm(whole[:, None] - whole[None], axis=2)
    np.testing.assert_allclose(
        np.linalg.norm(found[:, None] - found[None], axis=2), wanted, atol=1e-4
    )


def test_the_first_components_hold_the_most_variance():
    states = states_of(300)
    found = fit_layer_pca(states, 24).apply(states)
    variances = found.var(0)
    assert (np.diff(variances) < 1e-4).all()
    assert variances[:6].sum() > 0.5 * variances.sum()


def test_the_size_of_a_layers_states_does_not_matter():
    states = states_of(100)
    louder = states * np.array([1, 50, 0.1], np.float32)[:, None]
    one, other = (fit_layer_pca(rows, 10).apply(rows) for rows in (states, louder))
    np.testing.assert_allclose(one, other, atol=1e-3)


def test_the_order_of_texts_does_not_matter():
    states = states_of(100)
    order = np.random.default_rng(1).permutation(100)
    one, other = fit_layer_pca(states, 10), fit_layer_pca(states[order], 10)
    np.testing.assert_allclose(one.apply(states), other.apply(states), atol=1e-3)


def test_equal_states_and_single_texts_give_numbers():
    for states in (np.ones((5, 2, 4), np.float32), states_of(1)):
        reduction = fit_layer_pca(states, 6)
        assert np.isfinite(reduction.apply(states)).all()
        assert np.isfinite(reduction.components).all()


def test_what_is_written_is_what_is_read(tmp_path):
    states = states_of(50)
    reduction = fit_layer_pca(states, 10)
    reduction.save(tmp_path / "map.safetensors")
    again = load_layer_pca(tmp_path / "map.safetensors")
    assert again.fingerprint == reduction.fingerprint
    np.testing.assert_array_equal(again.apply(states), reduction.apply(states))


def test_how_numbers_lie_in_memory_makes_no_other_map(tmp_path):
    reduction = fit_layer_pca(states_of(50), 10)
    turned = replace(reduction, components=np.asfortranarray(reduction.components))
    assert turned.fingerprint == reduction.fingerprint
    turned.save(tmp_path / "map.safetensors")
    again = load_layer_pca(tmp_path / "map.safetensors")
    np.testing.assert_array_equal(again.components, reduction.components)


def test_a_map_that_is_missing_broken_or_changed_is_refused(tmp_path):
    file = tmp_path / "map.safetensors"
    with pytest.raises(InputError, match=r"not found; .* run 'refract embed --rebuild'"):
        load_layer_pca(file)
    fit_layer_pca(states_of(50), 10).save(file)
    payload = bytearray(file.read_bytes())
    payload[-1] ^= 1
    file.write_bytes(bytes(payload))
    with pytest.raises(InputError, match="its numbers are not those that were written"):
        load_layer_pca(file)
    file.write_bytes(b"no tensors")
    with pytest.raises(InputError, match="unreadable"):
        load_layer_pca(file)


@pytest.fixture(scope="module")
def layered(tmp_path_factory):
    return make_layered_model(tmp_path_factory.mktemp("layered") / "tiny")


def encoder_of(model, features):
    return load_encoder(
        EmbedSettings(
            model=str(model),
            batch_size=8,
            device="cpu",
            precision="float32",
            features=features,
            feature_size=16,
        )
    )


def test_layers_change_no_vector(layered):
    plain, rich = (encoder_of(layered, kind) for kind in ("last", "layers"))
    assert (plain.has_layers, rich.has_layers) == (False, True)
    one, other = (encoder.encode(TEXTS, lambda _: None) for encoder in (plain, rich))
    np.testing.assert_allclose(one.vectors, other.vectors, atol=1e-6)
    assert (one.kept, other.kept) == (None, None)


def test_states_are_the_means_over_tokens_of_each_layer(layered):
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(layered)
    model = AutoModel.from_pretrained(layered, output_hidden_states=True).eval()
    found = encoder_of(layered, "layers").encode(TEXTS[:9], lambda _: None, np.copy).kept
    for text, states in zip(TEXTS[:9], found, strict=True):
        with torch.no_grad():
            hidden = model(**tokenizer(text, return_tensors="pt")).hidden_states
        expected = [state[0].mean(0).numpy() for state in hidden[1:]]
        np.testing.assert_allclose(states, expected, atol=1e-5)


def test_the_sample_is_remembered_with_its_codes(layered, tmp_path):
    encoder, texts = encoder_of(layered, "layers"), {f"h{n}": text for n, text in enumerate(TEXTS)}
    memory = tmp_path / "sample.safetensors"
    coder = fit_coder(encoder, texts, 16, memory, lambda _: None)
    known = load_coder(encoder, coder.reduction, memory).seen
    columns, *_ = Featurizer(encoder, coder.reduction).code(TEXTS, lambda _: None)
    for at, key in enumerate(texts):
        for mine, theirs in zip(known[key], columns, strict=True):
            np.testing.assert_allclose(mine, theirs[at], atol=1e-5)
    other = fit_layer_pca(states_of(50, 3, 32), 16)
    assert load_coder(encoder, other, memory).seen == {}
    assert load_coder(encoder, coder.reduction, tmp_path / "none").seen == {}


def test_an_encoder_without_layers_has_no_features(tiny_model, tmp_path):
    encoder = encoder_of(tiny_model, "layers")
    coder = fit_coder(encoder, {"h": "a text"}, 16, tmp_path / "s", lambda _: None)
    assert (coder.reduction, coder.columns) == (None, ("vector",))
