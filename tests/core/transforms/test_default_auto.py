"""The choice of a method: by texts left out, written down, and undone by nothing on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.core.transforms import base
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
    return {each["method"]: each["log_loss"] for each in view.settings()["tried"]}


def test_what_no_line_can_part_is_left_to_the_kernel() -> None:
    view = fitted(*quarters())
    assert view.settings()["chosen"] == "kernel"
    assert losses(view)["kernel"] < losses(view)["discriminant"]


def test_where_the_kernel_saves_little_the_discriminant_is_chosen_as_it_would_be_alone() -> None:
    x, _ = clouds(300)
    y = np.random.default_rng(1).permutation(np.arange(300) % 3)  # nothing tells these apart
    view, alone = fitted(x, y), base.fit("discriminant", x, y, NAMES, x, {}, 1)
    assert losses(view)["kernel"] > 0.99 * losses(view)["discriminant"]
    assert view.settings()["chosen"] == "discriminant"
    assert view.settings()["settings"] == alone.settings()
    np.testing.assert_array_equal(view.apply(x).vectors, alone.apply(x).vectors)


def test_the_kernel_that_is_chosen_is_the_one_that_it_would_be_alone() -> None:
    x, y = quarters()
    alone = base.fit("kernel", x, y, NAMES[:2], x, {}, 1)
    np.testing.assert_array_equal(fitted(x, y).apply(x).vectors, alone.apply(x).vectors)


def test_settings_of_the_candidates_are_used() -> None:
    x, y = clouds()
    view = fitted(x, y, discriminant={"residual": 2}, kernel={"landmarks": 5})
    assert view.size == 3 + 2
    with pytest.raises(InputError, match=r"auto: residual: .* some of: discriminant, kernel"):
        fitted(x, y, residual=2)


def test_one_text_a_class_leaves_the_discriminant() -> None:
    view = fitted(np.eye(3), np.arange(3))
    assert view.settings()["chosen"] == "discriminant"
    assert losses(view)["discriminant"] is None


@pytest.mark.parametrize("world", [quarters, clouds])
def test_it_comes_back_from_disk_as_it_was(world: Any, tmp_path: Path) -> None:
    x, y = world()
    made = fitted(x, y)
    base.save(tmp_path, made, Card())
    again, card = base.load(tmp_path)
    assert card.method == "auto" and again.settings() == made.settings()
    np.testing.assert_array_equal(again.apply(x).vectors, made.apply(x).vectors)
