"""The choice of a method: by texts left out, written down, and undone by nothing on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.core.numerics.rows import unit_rows, whole_rows
from tasks.core.transforms import base
from tasks.core.transforms.experts import pool
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifests import Card
from tests.clouds import clouds

NAMES = ("a", "b", "c")


def fitted(x: np.ndarray, y: np.ndarray, **asked: Any) -> base.Transform:
    return base.fit("auto", x, y, NAMES[: int(y.max()) + 1], x, asked, 1)


def quarters(n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Return points on a circle; opposite quarters share a label, which no line can part."""
    angle = np.random.default_rng(0).uniform(0, 2 * np.pi, n)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1), (angle // (np.pi / 2) % 2).astype(int)


def losses(view: base.Transform) -> dict[str, float]:
    return {each.method: each.log_loss for each in view.settings().tried}


def weights(view: base.Transform) -> dict[str, float]:
    found: dict[str, float] = view.settings().settings.weights
    return found


def test_what_no_line_can_part_is_left_to_the_kernel() -> None:
    view = fitted(*quarters())
    assert view.settings().chosen == "pool"
    assert losses(view)["pool"] < losses(view)["discriminant"]
    assert weights(view).get("kernel", 0) > 3 * weights(view).get("discriminant", 0)


def test_settings_of_the_candidates_are_used() -> None:
    x, y = clouds()
    view = fitted(x, y, discriminant={"residual": 2}, kernel={"landmarks": 5})
    assert view.size == 3 + 2
    with pytest.raises(InputError, match=r"auto: residual: .* some of: discriminant, kernel"):
        fitted(x, y, residual=2)


def test_features_in_8_bits_give_the_same_view_but_for_rounding() -> None:
    x, y = clouds(240)
    rich = np.random.default_rng(1).normal(size=(240, 24)) * np.geomspace(1, 0.05, 24)
    rich[:, :3] += np.eye(3)[y]
    both = [rich.astype(np.float32), whole_rows(rich)]
    views = [base.fit("auto", x, y, NAMES, x, {}, 1, one, beside=one) for one in both]
    whole, small = (view.apply(x, one) for view, one in zip(views, both, strict=True))
    assert (whole.label == small.label).mean() > 0.99
    likeness = (unit_rows(whole.vectors) * unit_rows(small.vectors)).sum(axis=1)
    assert likeness.mean() > 0.999
    np.testing.assert_allclose(whole.confidence.mean(), small.confidence.mean(), atol=0.01)


def test_one_text_a_class_leaves_the_discriminant() -> None:
    view = fitted(np.eye(3), np.arange(3))
    assert view.settings().chosen == "discriminant"
    assert losses(view) == {"discriminant": None}


def test_what_would_be_thrown_away_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """How much the generic space counts in a pool, where the discriminant is kept without one."""
    x, y = clouds(200, spread=1.5)
    monkeypatch.setattr(pool, "choose_doubt", lambda *_: pytest.fail("nobody asked"))
    assert fitted(x, y).settings().chosen == "discriminant"


@pytest.mark.parametrize("world", [quarters, clouds])
def test_it_comes_back_from_disk_as_it_was(world: Any, tmp_path: Path) -> None:
    x, y = world()
    made = fitted(x, y)
    base.save(tmp_path, made, Card())
    again, card = base.load(tmp_path)
    assert card.method == "auto" and again.settings() == made.settings()
    np.testing.assert_array_equal(again.apply(x).vectors, made.apply(x).vectors)
