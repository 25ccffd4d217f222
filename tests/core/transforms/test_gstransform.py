"""The published transform against its formulas, and what makes its training repeatable."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from tasks.core.numerics.rows import unit_rows
from tasks.core.numerics.temperature import fit_temperature
from tasks.core.settings.fit_section import GsTransformSettings
from tasks.core.transforms import base, gstransform
from tasks.core.transforms.centroids import Centroids, fit_centroids, place_centroids
from tasks.core.transforms.gstransform import contrastive, networks, train

SMALL = {"hidden": 16, "dimensions": 4, "epochs": 40, "batch_size": 16, "learning_rate": 1e-2}


def world(n: int = 80, d: int = 8) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    y = np.arange(n) % 2
    x = random.normal(size=(2, d))[y] + 0.8 * random.normal(size=(n, d))
    return unit_rows(x), y


def fitted(**changes: Any) -> base.Transform:
    x, y = world()
    seed = changes.pop("seed", 1)
    return base.fit("gstransform", x, y, ("a", "b"), x, SMALL | changes, seed)


def test_the_contrastive_loss_is_the_mean_over_ordered_pairs_without_self_pairs() -> None:
    z = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0], [20.0, 0.0]], dtype=torch.float64)
    y, margin = torch.tensor([0, 0, 1, 1]), 10.0
    pairs = []
    for i in range(4):
        for j in range(4):
            distance = float((z[i] - z[j]).norm())
            if i != j:
                pairs.append(distance**2 if y[i] == y[j] else max(0.0, margin - distance) ** 2)
    assert float(contrastive(z, y, margin)) == pytest.approx(np.mean(pairs))


def test_the_contrastive_loss_has_a_finite_gradient_where_texts_coincide() -> None:
    z = torch.ones(4, 3, requires_grad=True)
    contrastive(z, torch.tensor([0, 0, 1, 1]), 10.0).backward()
    assert z.grad is not None and bool(torch.isfinite(z.grad).all())


def test_the_whole_loss_weighs_its_two_parts() -> None:
    x, y = torch.randn(6, 5), torch.tensor([0, 1, 0, 1, 0, 1])
    encoder, decoder = networks(5, GsTransformSettings(hidden=3, dimensions=2), torch.Generator())
    z = encoder(x)
    used = GsTransformSettings(contrastive=2.0, reconstruction=3.0)
    expected = 2 * contrastive(z, y, 10.0) + 3 * torch.nn.functional.mse_loss(decoder(z), x)
    assert torch.isclose(gstransform.loss(encoder, decoder, x, y, used), expected)


def test_the_published_shapes_are_the_default_and_zero_hidden_units_are_one_layer() -> None:
    encoder, decoder = networks(384, GsTransformSettings(), torch.Generator())
    assert [tuple(p.shape) for p in encoder.parameters()] == [
        (512, 384),
        (512,),
        (128, 512),
        (128,),
    ]
    assert [tuple(p.shape) for p in decoder.parameters()] == [(384, 128), (384,)]
    linear, _ = networks(384, GsTransformSettings(hidden=0), torch.Generator())
    assert [tuple(p.shape) for p in linear.parameters()] == [(128, 384), (128,)]


@pytest.mark.parametrize("hidden", [0, 16])
def test_the_same_seed_gives_the_same_view_and_another_seed_another(hidden: int) -> None:
    x, _ = world()
    torch.manual_seed(7)
    one = fitted(hidden=hidden).apply(x).vectors
    torch.manual_seed(8)
    np.testing.assert_array_equal(one, fitted(hidden=hidden).apply(x).vectors)
    assert not np.array_equal(one, fitted(hidden=hidden, seed=2).apply(x).vectors)


def test_training_moves_texts_of_a_label_together() -> None:
    x, y = world()
    z = unit_rows(fitted().apply(x).vectors)
    same = y[:, None] == y[None, :]
    before, after = ((rows @ rows.T) for rows in (x, z))
    gap = [m[same].mean() - m[~same].mean() for m in (before, after)]
    assert gap[1] > gap[0] + 0.2


def test_the_weights_kept_are_those_of_the_best_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = world()
    seen: list[torch.Tensor] = []
    losses = iter([5.0, 3.0, 4.0, 6.0, 7.0, 1.0])

    def scripted(encoder: torch.nn.Module, *_: object) -> float:
        seen.append(next(encoder.parameters()).detach().clone())
        return next(losses)

    monkeypatch.setattr(gstransform, "validate", scripted)
    split = np.arange(60), np.arange(60, 80)
    used = GsTransformSettings(**(SMALL | {"patience": 3}))
    kept = train(torch.from_numpy(x), torch.from_numpy(y), split, used, seed=1)
    assert len(seen) == 5
    assert torch.equal(kept["weight_0"], seen[1]) and not torch.equal(seen[1], seen[4])


def test_the_kept_weights_encode_as_the_network_did() -> None:
    x, _ = world()
    encoder, _ = networks(8, GsTransformSettings(hidden=5, dimensions=3), torch.Generator())
    expected = encoder(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(
        gstransform._encode(gstransform._copy(encoder), x), expected, atol=1e-6
    )


def test_two_texts_are_enough_to_fit() -> None:
    x, _ = world()
    view = base.fit("gstransform", x[:2], np.array([0, 1]), ("a", "b"), x, SMALL, 1)
    assert all(np.isfinite(part).all() for part in vars(view.apply(x)).values())


def test_a_centroid_is_the_unit_mean_of_unit_vectors() -> None:
    vectors = np.array([[2, 0], [0, 5], [0, -1]], np.float32)
    rows = place_centroids(vectors, np.array([0, 0, 1]), 2).rows
    np.testing.assert_allclose(rows, [[0.5**0.5, 0.5**0.5], [0, -1]], atol=1e-6)


def test_novelty_is_zero_on_a_centroid_and_one_opposite_to_all() -> None:
    centroids = Centroids(np.array([[1, 0], [1, 0]], np.float32), 10.0)
    reading = centroids.read(np.array([[3, 0], [-2, 0]], np.float32))
    np.testing.assert_allclose(reading.novelty, [0, 1], atol=1e-6)
    np.testing.assert_allclose(reading.confidence, [0.5, 0.5], atol=1e-6)


def test_the_sharpness_is_the_one_of_least_log_loss_on_the_held_out_texts() -> None:
    x, y = world()
    split = np.arange(60), np.arange(60, 80)
    found = fit_centroids(x, y, 2, split).sharpness
    cosines = x[60:] @ place_centroids(x[:60], y[:60], 2).rows.T

    expected = fit_temperature(torch.from_numpy(cosines), torch.from_numpy(y[60:]), 10.0).beta
    assert found == pytest.approx(expected, rel=1e-3)


def test_a_few_texts_that_are_all_right_do_not_make_the_confidence_endless() -> None:
    scores, truth = torch.eye(6), torch.arange(6)
    confidence = torch.softmax(fit_temperature(scores, truth, 10.0).beta * scores, 1).diagonal()
    assert bool((confidence > 0.8).all() and (confidence < 0.95).all())
