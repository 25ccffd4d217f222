"""What the names of labels alone teach: texts of one name end up together, without any label."""

import numpy as np
import pytest
import torch

from tasks.core.transforms.base import contents, fit_by_names, load
from tasks.core.transforms.experts.by_names import tempered
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import write_bytes
from tasks.core.workspace.manifests import Card

KINDS, EACH, SIZE = 3, 40, 24
NAMES = ("calm", "cross", "hopeful")


@pytest.fixture(scope="module")
def texts():
    """Vectors and features of three kinds of texts around directions of their own."""
    random = np.random.default_rng(5)
    ways = np.linalg.qr(random.normal(size=(SIZE, SIZE)))[0][:KINDS]
    truth = np.repeat(np.arange(KINDS), EACH)
    x = ways[truth] + 0.25 * random.normal(size=(KINDS * EACH, SIZE))
    features = np.hstack([x, random.normal(size=x.shape)])
    names = (ways + 0.3 * random.normal(size=ways.shape))[:, None].repeat(3, 1)
    return x.astype(np.float32), features.astype(np.float32), names.astype(np.float32), truth


def fitted(texts, order=slice(None)):
    x, features, names, _ = texts
    return fit_by_names("auto", NAMES, names, x[order], {}, beside=features[order])


def test_each_text_gets_the_name_that_its_kind_is_near_to(texts):
    x, features, _, truth = texts
    seen = fitted(texts).apply(x, features)
    assert (seen.label == truth).mean() > 0.9
    together = seen.vectors @ seen.vectors.T
    same = truth[:, None] == truth[None]
    assert together[same].mean() > together[~same].mean() + 0.2


def test_how_sure_the_view_is_on_the_mean_does_not_depend_on_the_names(texts):
    x, features, _, _ = texts
    seen = fitted(texts).apply(x, features)
    assert seen.confidence.mean() == pytest.approx(0.45 + 0.55 / KINDS, abs=1e-3)
    assert seen.novelty.max() < 1e-6


def test_neither_the_order_of_texts_nor_that_of_names_matters(texts):
    x, features, names, _ = texts
    backwards = np.arange(len(x))[::-1]
    first, other = fitted(texts), fitted(texts, backwards)
    turned = fit_by_names("auto", NAMES[::-1], names[::-1], x, {}, beside=features)
    for one in (other, turned):
        assert one.labels == first.labels == NAMES
        for name, tensor in first.tensors().items():
            np.testing.assert_array_equal(one.tensors()[name], tensor, name)


def test_what_is_kept_gives_the_same_view(texts, tmp_path):
    x, features, _, _ = texts
    made = fitted(texts)
    for name, content in contents(made, Card()).items():
        write_bytes(tmp_path / name, content)
    again = load(tmp_path)[0]
    np.testing.assert_array_equal(again.apply(x, features).vectors, made.apply(x, features).vectors)
    assert again.called == "auto: pool"


def test_without_features_base_vectors_are_learnt_from(texts):
    x, _, names, truth = texts
    made = fit_by_names("auto", NAMES, names, x, {})
    assert made.features == 0 and (made.apply(x).label == truth).mean() > 0.9


def test_a_label_that_no_text_is_near_to_keeps_the_others_apart(texts):
    x, features, names, truth = texts
    more = np.concatenate([names, -names[:1]])
    made = fit_by_names("auto", (*NAMES, "idle"), more, x, {}, beside=features)
    assert (made.apply(x, features).label == truth).mean() > 0.6


def test_names_that_are_read_alike_are_refused(texts):
    x, _, names, _ = texts
    with pytest.raises(InputError, match="reads the names of all labels alike; expected names"):
        fit_by_names("auto", NAMES, names[:1].repeat(3, 0), x, {})


def test_a_method_that_needs_labelled_texts_says_so(texts):
    x, _, names, _ = texts
    with pytest.raises(InputError, match="'fda' learns from labelled texts alone"):
        fit_by_names("fda", NAMES, names, x, {})


@pytest.mark.parametrize("share", [0.2, 0.45, 0.7])
def test_the_temperature_gives_the_mean_confidence_that_is_asked_for(share):
    scores = torch.randn(200, 5, generator=torch.Generator().manual_seed(3))
    sure = torch.softmax(scores / tempered(scores, share), 1).amax(1).mean()
    assert float(sure) == pytest.approx(0.2 + share * 0.8, abs=1e-4)
