"""Transforms whose vectors are erased last: what is kept of them, and what numpy makes of it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tasks.core.encoding.base_table import Rows
from tasks.core.query import transform as query
from tasks.core.query.few_rows import load_reader
from tasks.core.query.transform import load_map
from tasks.core.transforms import base
from tasks.core.transforms.card import CARD, read_card
from tasks.core.transforms.training_set import Concept
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
POSTERIOR = ("discriminant", "kernel", "auto")
LABELS = ("a", "b", "c")
SOURCES = 2


def source():
    """Return texts of three classes that come from two sources, and the shares of these."""
    x, y = clouds(240, spread=0.4)
    shares = np.eye(SOURCES)[np.random.default_rng(2).integers(0, SOURCES, len(y))]
    return (x + 0.5 * shares @ np.eye(SOURCES, x.shape[1])).astype(np.float32), y, shares


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return by method a transform as it was fitted, as it was erased, and the folder of that."""
    x, y, shares = source()
    texts = [f"text {n}" for n in range(len(y))]
    concept = Concept(("source",), Rows(texts, texts, x, None, texts), shares)
    found = {}
    for method, asked in SETTINGS.items():
        plain = base.fit(method, x, y, LABELS, x, asked, 1)
        erased = concept.erased_from(plain)
        folder = tmp_path_factory.mktemp(method)
        base.save(folder, erased, Card(seed=1))
        found[method] = plain, erased, folder
    return found


@pytest.mark.parametrize("method", SETTINGS)
def test_vectors_tell_nothing_of_the_source_and_all_else_is_as_it_was(made, method):
    x, _, shares = source()
    plain, erased, _ = made[method]
    was, now = plain.apply(x), erased.apply(x)
    for part in ("label", "confidence", "novelty"):
        np.testing.assert_array_equal(getattr(now, part), getattr(was, part))
    start = len(LABELS) if method in POSTERIOR else 0
    np.testing.assert_array_equal(now.vectors[:, :start], was.vectors[:, :start])
    rest = [each.vectors[:, start:].astype(np.float64) for each in (was, now)]
    told = [np.abs((z - z.mean(0)).T @ (shares - shares.mean(0))).max() / len(x) for z in rest]
    assert told[1] < 1e-6 < 1e-3 < told[0]
    assert erased.erasure.start == start and plain.erasure is None


@pytest.mark.parametrize("method", SETTINGS)
def test_what_is_saved_is_loaded_and_read_by_numpy_alike(made, method, monkeypatch):
    x, _, _ = source()
    _, erased, folder = made[method]
    wanted = erased.apply(x).vectors
    restored, card = base.load(folder)
    np.testing.assert_allclose(restored.apply(x).vectors, wanted, atol=1e-6)
    assert (card.format, card.aspects, card.method) == (2, ("source",), method)
    with monkeypatch.context() as patched:
        patched.setattr(query, "load", lambda _: pytest.fail("not read by numpy"))
        np.testing.assert_allclose(load_map(folder)(x, None, ()), wanted, atol=4e-4)
    reader = load_reader(folder)
    assert (reader is None) == (method not in POSTERIOR)
    if reader is not None:
        found, told = reader.apply(x), erased.apply(x)
        np.testing.assert_allclose(found.vectors, wanted, atol=4e-4)
        np.testing.assert_allclose(found.confidence, told.confidence, atol=4e-4)


def test_the_card_of_a_transform_that_erases_nothing_is_of_the_first_format(made, tmp_path):
    base.save(tmp_path, made["auto"][0], Card(seed=1))
    card = read_card(tmp_path)
    assert (card.format, card.aspects, "erased" in card.model_fields_set) == (1, (), False)


@pytest.mark.parametrize(
    "change",
    [
        {"erased": None},
        {"erased": None, "format": 1},
        {"erased": {"aspects": ["source"], "start": 3, "dimensions": 3, "of": 4}},
        {"erased": {"aspects": ["source"], "start": 0, "dimensions": 2, "of": 4}},
        {"format": 1},
        {"format": 3},
    ],
    ids=str,
)
def test_a_card_that_does_not_say_what_its_tensors_erase_is_refused(made, change, tmp_path):
    base.save(tmp_path, made["discriminant"][1], Card(seed=1))
    card = json.loads((tmp_path / CARD).read_text())
    (tmp_path / CARD).write_text(json.dumps(card | change))
    for read in (base.load, load_map):
        with pytest.raises(InputError) as caught:
            read(tmp_path)
        assert "\n" not in str(caught.value)


def test_an_erasure_of_other_vectors_is_refused(made):
    plain, erased, _ = made["discriminant"]
    with pytest.raises(ValueError, match=r"erasure of 8 numbers, not 7"):
        plain.without(replace(erased.erasure, start=4))
