"""Transforms on another device than the processor, pretended where there is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tasks.core.numerics import tensors
from tasks.core.transforms import base
from tasks.core.transforms.base import Prediction, Transform
from tasks.core.workspace.manifests import Card
from tests.clouds import K, clouds
from tests.pretended import DEVICE, Elsewhere, Pretended

NAMES = tuple(f"label {c}" for c in range(K))
SETTINGS = {"gstransform": {"epochs": 2}}


def fitted(method: str, folder: Path) -> tuple[Transform, Transform]:
    """Fit on rows of which some have two labels; return the transform and what is read back."""
    x, y = clouds()
    twice = np.r_[np.arange(len(y)), :5]
    y = np.r_[y, (y[:5] + 1) % K]
    settings = SETTINGS.get(method, {})
    made = base.fit(method, x[twice], y, NAMES, x, settings, 1, x[twice] ** 3)
    base.save(folder, made, Card())
    return made, base.load(folder)[0]


def apart(a: Prediction, b: Prediction) -> float:
    """Return the greatest difference between two readings."""
    pairs = zip(vars(a).values(), vars(b).values(), strict=True)
    return max(float(np.abs(one - other).max()) for one, other in pairs)


@pytest.mark.parametrize("method", base.METHODS)
def test_a_transform_of_another_device_says_the_same(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, _ = clouds(seed=7)
    here, _ = fitted(method, tmp_path / "here")
    monkeypatch.setattr(tensors, "device", lambda: DEVICE)
    with Pretended() as pretended:
        both = fitted(method, tmp_path / "there")
        of_fit, pretended.products = pretended.products, 0
        readings = [made.apply(x, x**3) for made in both]
    assert max(apart(here.apply(x, x**3), reading) for reading in readings) < 1e-6
    if method not in ("identity", "fda"):  # numpy's: one product with a small matrix
        assert of_fit and pretended.products
    if method != "identity":
        assert of_fit


@pytest.mark.parametrize("method", base.METHODS)
def test_what_another_device_wrote_is_read_here(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, _ = clouds(seed=7)
    here, _ = fitted(method, tmp_path / "here")
    with monkeypatch.context() as patched, Pretended():
        patched.setattr(tensors, "device", lambda: DEVICE)
        fitted(method, tmp_path / "there")
    assert apart(here.apply(x, x**3), base.load(tmp_path / "there")[0].apply(x, x**3)) < 1e-6


@pytest.mark.parametrize("known", [K - 1, K])
def test_a_pool_of_all_experts_says_the_same_on_another_device(
    known: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With names, a corpus, and with K - 1 classes labelled also a density."""
    x, y = clouds(900, spread=0.5)
    shown = np.flatnonzero(y < known)[:330]
    names = np.stack([x[y == c].mean(0) for c in range(K)])[:, None]

    def pooled() -> Transform:
        given = (x[shown], y[shown], NAMES, x, {"kernel": {"landmarks": 40}}, 1, x[shown] ** 3)
        return base.fit("auto", *given, beside=x**3, names=names)

    here = pooled()
    assert any(name.endswith("density_level") for name in here.tensors()) == (known < K)
    monkeypatch.setattr(tensors, "device", lambda: DEVICE)
    with Pretended():
        there = pooled().apply(x, x**3)
    assert apart(here.apply(x, x**3), there) < 1e-4


def test_the_pretended_device_refuses_what_cuda_refuses() -> None:
    with Pretended():
        there = torch.ones(3, device=DEVICE)
    assert isinstance(there, Elsewhere) and isinstance(there + 1, Elsewhere)
    with pytest.raises(RuntimeError, match="two devices"):
        there + torch.ones(3)
    with pytest.raises(RuntimeError):
        torch.mul(there, 2, out=torch.empty(3))
    with pytest.raises((RuntimeError, TypeError)):
        there.numpy()
    assert there.cpu().numpy().tolist() == [1, 1, 1]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("method", base.METHODS)
def test_cuda_says_what_the_processor_says(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, _ = clouds(seed=7)
    there, _ = fitted(method, tmp_path / "there")
    monkeypatch.setattr(tensors, "device", lambda: "cpu")
    here, _ = fitted(method, tmp_path / "here")
    assert apart(here.apply(x, x**3), there.apply(x, x**3)) < 1e-2


@pytest.mark.parametrize("rows", [3, 5_000])
def test_large_products_are_those_of_small_ones(rows: int) -> None:
    """Whoever multiplies, and however the factors lie in memory."""
    random = torch.Generator().manual_seed(1)
    x = torch.randn(90, rows, generator=random).T
    for matrix in (torch.randn(90, 40, generator=random), torch.randn(40, 90, generator=random).T):
        found = tensors.times(x, matrix)
        torch.testing.assert_close(found, (x.double() @ matrix.double()).float())
