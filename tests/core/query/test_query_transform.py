"""A transform's vectors in numpy against the transform itself."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.core.numerics.rows import unit_rows
from tasks.core.query import posterior
from tasks.core.query import transform as query
from tasks.core.query.few_rows import load_reader
from tasks.core.query.label_place import label_place
from tasks.core.query.transform import load_map
from tasks.core.transforms import base, discriminant, posterior_space
from tasks.core.transforms.card import CARD, TENSORS
from tasks.core.transforms.experts import label_names, weights
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifests import Card
from tests.clouds import clouds

SETTINGS = {
    "identity": {},
    "fda": {},
    "gstransform": {"hidden": 8, "dimensions": 4, "epochs": 3, "batch_size": 16},
    "discriminant": {"residual": 4},
    "kernel": {"landmarks": 20},
    "auto": {"discriminant": {"residual": 4}},
}
READS_FEATURES = ("discriminant", "kernel", "auto")
LABELS = ("a", "b", "c")
SAID = [f"number {n} of {n % 7}" for n in range(92)]  # read by none of these but a pool with words
CLOSE = 4e-4  # the root of float32's ε: √(1-ν) there is 0 where ν is 1 but for less than ε


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a transform and its folder by method, with and without features."""
    x, y = clouds()
    wide = np.tanh(x @ np.random.default_rng(3).normal(size=(x.shape[1], 9))).astype(np.float32)
    found = {}
    for method, asked in SETTINGS.items():
        for rich in (None, wide) if method in READS_FEATURES else (None,):
            one = base.fit(method, x, y, LABELS, x, asked, 1, rich)
            folder = tmp_path_factory.mktemp(method)
            base.save(folder, one, Card(seed=1))
            found[method, rich is not None] = one, folder
    return found


def light(folder, monkeypatch):
    monkeypatch.setattr(query, "load", lambda _: pytest.fail("not read by numpy"))
    return load_map(folder)


CASES = [(method, False) for method in SETTINGS] + [(method, True) for method in READS_FEATURES]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_map_gives_the_vectors_of_its_transform(made, case, monkeypatch):
    transform, folder = made[case]
    found = light(folder, monkeypatch)

    @settings(max_examples=25)
    @given(st.integers(0, 10**6), st.sampled_from([1e-3, 1.0, 50.0]))
    def agrees(seed, size):
        random = np.random.default_rng(seed)
        x = (size * random.normal(size=(3, transform.dimensions))).astype(np.float32)
        rich = random.normal(size=(3, 9)).astype(np.float32) if case[1] else None
        wanted = transform.apply(x, rich).vectors
        np.testing.assert_allclose(found(x, rich, SAID[:3]), wanted, atol=CLOSE)

    agrees()


def assert_read_alike(found, wanted):
    np.testing.assert_allclose(found.vectors, wanted.vectors, atol=CLOSE)
    np.testing.assert_allclose(found.novelty, wanted.novelty, atol=CLOSE)
    np.testing.assert_allclose(found.confidence, wanted.confidence, atol=CLOSE)
    second, first = np.sort(found.vectors[:, : len(LABELS)])[:, -2:].T
    told = second < (1 - 1e-3) * first
    assert told.mean() > 0.9
    np.testing.assert_array_equal(found.label[told], wanted.label[told])
    assert {found.label.dtype, wanted.label.dtype} == {np.dtype(np.int32)}
    assert {found.confidence.dtype, found.novelty.dtype} == {np.dtype(np.float32)}


@pytest.mark.parametrize("case", [case for case in CASES if case[0] in READS_FEATURES], ids=str)
def test_labels_confidence_and_novelty_are_read_off_the_vectors(made, case):
    transform, folder = made[case]
    x, _ = clouds(400, seed=5, spread=0.9)
    rich = np.tanh(x @ np.random.default_rng(3).normal(size=(x.shape[1], 9))) if case[1] else None
    found = load_reader(folder)
    assert (found.labels, found.features) == (transform.labels, transform.features)
    assert found.reads_text == transform.reads_text
    assert_read_alike(found.apply(x, rich, SAID), transform.apply(x, rich, SAID))


@pytest.mark.parametrize("method", READS_FEATURES)
def test_the_label_of_a_text_that_fits_no_class_is_the_likeliest_all_the_same(method, tmp_path):
    x, y = clouds(1_800, spread=0.1)
    known = np.flatnonzero(y < 2)[:100]
    made = base.fit(method, x[known], y[known], LABELS[:2], x, SETTINGS[method], 1)
    base.save(tmp_path, made, Card(seed=1))
    found, wanted = load_reader(tmp_path).apply(x), made.apply(x)
    assert (wanted.novelty == 1).any()
    np.testing.assert_array_equal(found.label, wanted.label)


@pytest.mark.parametrize("method", ["identity", "fda", "gstransform"])
def test_vectors_that_hold_no_posterior_are_read_by_their_transform(made, method):
    assert load_reader(made[method, False][1]) is None


def test_texts_that_were_learnt_from_and_the_mean_are_mapped_alike(made, monkeypatch):
    x, _ = clouds()
    x = np.concatenate([x, x.mean(0, keepdims=True), np.zeros((1, x.shape[1]), np.float32)])
    for method in ("discriminant", "kernel"):
        transform, folder = made[method, False]
        found = light(folder, monkeypatch)
        np.testing.assert_allclose(found(x, None, SAID), transform.apply(x).vectors, atol=CLOSE)
        monkeypatch.undo()


def test_constants_are_those_of_the_transforms():
    here = (posterior.SAME, posterior.LEAST_LOG, posterior.DOUBT)
    assert here == (discriminant.SAME, weights.LEAST, posterior_space.DOUBT)
    assert label_names.LEAST == posterior.SAME


@pytest.mark.parametrize("known", [2, 3])
def test_a_pool_of_all_experts_with_density_is_mapped_alike(known, tmp_path, monkeypatch):
    """Of two classes of three the corpus holds texts of a third, and the density is asked."""
    monkeypatch.setattr("tasks.core.transforms.experts.weights.EARNED", -1e9)  # keep all
    monkeypatch.setattr("tasks.core.transforms.experts.weights.NONE", -1.0)
    x, y = clouds(1_200, spread=0.3)
    wide = np.tanh(x @ np.random.default_rng(3).normal(size=(x.shape[1], 9))).astype(np.float32)
    names = np.stack([x[y == c].mean(0) for c in range(3)])[:, None]
    shown = np.flatnonzero(y < known)[:420]
    said = [f"text {n % 41} of {'abc'[c]} Straße 日本語" for n, c in enumerate(y)]
    asked = {"kernel": {"landmarks": 30}}
    made = base.fit(
        "auto",
        x[shown],
        y[shown],
        LABELS,
        x,
        asked,
        1,
        wide[shown],
        beside=wide,
        names=names,
        texts=[said[row] for row in shown],
    )
    if known == 2:
        assert {
            "kernel_weights",
            "names_level",
            "corpus_W",
            "words_weights",
        } <= made.tensors().keys()
    assert ("gate_density_level" in made.tensors()) == (known < 3)
    base.save(tmp_path, made, Card(seed=1))
    found = light(tmp_path, monkeypatch)
    said[0] = "words that no label was given to"
    wanted = made.apply(x, wide, said).vectors
    np.testing.assert_allclose(found(x, wide, said), wanted, atol=CLOSE)
    reader = load_reader(tmp_path)
    assert reader.reads_text == made.reads_text
    assert_read_alike(reader.apply(x, wide, said), made.apply(x, wide, said))


def test_what_is_not_known_here_is_read_by_the_transform(made, tmp_path, monkeypatch):
    transform, _ = made["discriminant", False]
    x, _ = clouds()
    base.save(tmp_path, transform, Card(seed=1))
    monkeypatch.setattr(posterior, "_PLDA", posterior._PLDA | {"another"})
    np.testing.assert_array_equal(load_map(tmp_path)(x, None, SAID), transform.apply(x).vectors)


def test_a_broken_transform_is_refused_as_ever(made, tmp_path):
    transform, _ = made["kernel", False]
    base.save(tmp_path, transform, Card(seed=1))
    card = json.loads((tmp_path / CARD).read_text())
    (tmp_path / CARD).write_text(json.dumps(card | {"method": "unheard of"}))
    with pytest.raises(InputError, match="unusable transform"):
        load_map(tmp_path)
    (tmp_path / TENSORS).write_bytes(b"other")
    with pytest.raises(InputError, match="SHA-256"):
        load_map(tmp_path)


def test_features_that_are_missing_are_said_to_be(made, monkeypatch):
    found = light(made["kernel", True][1], monkeypatch)
    with pytest.raises(ValueError, match="features: found none, expected 9 a text"):
        found(clouds()[0], None, SAID)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_of_the_places_of_labels_that_of_its_own_is_the_nearest_to_a_text(made, case):
    transform, folder = made[case]
    x, _ = clouds(400, seed=5, spread=0.9)
    rich = np.tanh(x @ np.random.default_rng(3).normal(size=(x.shape[1], 9))) if case[1] else None
    reading = transform.apply(x, rich, SAID)
    places = np.stack([label_place(folder, label) for label in LABELS])
    np.testing.assert_allclose(np.linalg.norm(places, axis=1), 1, atol=1e-6)
    cosines = unit_rows(reading.vectors) @ places.T
    second, first = np.sort(cosines)[:, -2:].T
    told = second < (1 - 1e-3) * first
    assert told.mean() > 0.5  # what is surely new is of no label
    np.testing.assert_array_equal(cosines.argmax(axis=1)[told], reading.label[told])


def test_a_label_that_a_view_does_not_know_has_no_place_there(made):
    _, folder = made["discriminant", False]
    with pytest.raises(InputError, match=r"'d': the view tells no such label apart.*'a', 'b', 'c'"):
        label_place(folder, "d")
