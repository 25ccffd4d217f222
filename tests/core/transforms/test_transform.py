"""The contract that every transform keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.core.settings.calibrated import CalibratedSettings
from tasks.core.settings.fit_section import FitSettings
from tasks.core.transforms import base
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifests import Card
from tests.core.transforms.quick import LABELS, QUICK, fitted, world


@pytest.mark.parametrize("method", QUICK)
def test_a_reading_has_the_promised_shapes_types_and_ranges(method: str) -> None:
    x, _ = world()
    view = fitted(method)
    reading = view.apply(x[:7])
    assert reading.vectors.shape == (7, view.size) and reading.vectors.dtype == np.float32
    assert reading.label.dtype == np.int32 and set(reading.label) <= {0, 1, 2}
    for share in (reading.confidence, reading.novelty):
        assert share.dtype == np.float32 and (share >= 0).all() and (share <= 1).all()
    assert view.method == method and view.dimensions == 8 and len(view.labels) == 3


@pytest.mark.parametrize("method", QUICK)
def test_labels_are_read_back_from_the_texts_they_were_learnt_from(method: str) -> None:
    x, y = world()
    view = fitted(
        method, **({"epochs": 60, "learning_rate": 0.01} if method == "gstransform" else {})
    )
    named = np.array(view.labels)[view.apply(x).label]
    assert (named == np.array(LABELS)[y]).mean() > 0.9


@pytest.mark.parametrize("method", QUICK)
def test_the_order_of_rows_and_classes_does_not_matter(method: str) -> None:
    x, y = world()
    mixed, background = np.random.default_rng(5).permutation(len(x)), x[::-1]
    turn = np.array([2, 0, 1])
    names = tuple(np.array(LABELS)[np.argsort(turn)])
    one = base.fit(method, x, y, LABELS, x, QUICK[method], 1)
    other = base.fit(method, x[mixed], turn[y][mixed], names, background, QUICK[method], 1)
    assert one.labels == other.labels == ("angry", "calm", "glad")
    assert one.settings() == other.settings()
    np.testing.assert_array_equal(one.apply(x).vectors, other.apply(x).vectors)


@pytest.mark.parametrize("method", QUICK)
def test_the_order_of_rows_that_only_their_features_tell_apart_does_not_matter(method: str) -> None:
    x, y = world(20)
    x, y = np.repeat(x, 4, 0), np.repeat(y, 4)
    rich = np.random.default_rng(6).normal(size=(len(x), 5))
    mixed = np.random.default_rng(5).permutation(len(x))
    one = base.fit(method, x, y, LABELS, x, QUICK[method], 1, rich)
    other = base.fit(method, x[mixed], y[mixed], LABELS, x, QUICK[method], 1, rich[mixed])
    np.testing.assert_array_equal(one.apply(x, rich).vectors, other.apply(x, rich).vectors)


@pytest.mark.parametrize("method", QUICK)
def test_other_names_in_the_same_order_give_the_same_view(method: str) -> None:
    x, y = world()
    one = base.fit(method, x, y, ("a", "b", "c"), x, QUICK[method], 1)
    other = base.fit(method, x, y, ("lang", "länger", "ß"), x, QUICK[method], 1)
    np.testing.assert_array_equal(one.apply(x).vectors, other.apply(x).vectors)


@pytest.mark.parametrize("method", QUICK)
def test_the_length_and_the_float_type_of_a_row_do_not_matter(method: str) -> None:
    x, _ = world()
    view = fitted(method)
    plain = view.apply(x).vectors
    np.testing.assert_allclose(view.apply(7 * x).vectors, plain, atol=2e-5)
    np.testing.assert_allclose(view.apply(x.astype(np.float64)).vectors, plain, atol=2e-5)
    np.testing.assert_allclose(view.apply(x.astype(np.float16)).vectors, plain, atol=2e-2)


@pytest.mark.parametrize("method", QUICK)
def test_how_an_array_lies_in_memory_does_not_matter(method: str) -> None:
    x, _ = world()
    view = fitted(method)
    plain = view.apply(x).vectors
    frozen = x.copy()
    frozen.flags.writeable = False
    for same in (x[::-1][::-1], np.asfortranarray(x), x.astype(">f4"), frozen):
        np.testing.assert_allclose(view.apply(same).vectors, plain, atol=1e-6)
    np.testing.assert_allclose(view.apply(x[::2]).vectors, plain[::2], atol=1e-6)


@pytest.mark.parametrize("method", QUICK)
def test_no_rows_give_an_empty_reading(method: str) -> None:
    reading = fitted(method).apply(np.empty((0, 8), np.float16))
    assert reading.vectors.shape[0] == len(reading.label) == 0


@pytest.mark.parametrize("method", QUICK)
def test_a_zero_row_is_read_without_a_nan(method: str) -> None:
    reading = fitted(method).apply(np.zeros((1, 8), np.float32))
    assert np.isfinite(reading.vectors).all() and np.isfinite(reading.confidence).all()


@pytest.mark.parametrize("method", QUICK)
def test_a_row_that_is_not_finite_is_refused(method: str) -> None:
    x, _ = world()
    x[3, 2] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        fitted(method).apply(x)


def test_an_unknown_method_is_refused_with_the_known_ones() -> None:
    x, y = world()
    with pytest.raises(
        InputError, match=r"'magic' is unknown, expected one of auto, discriminant, fda, gs"
    ):
        base.fit("magic", x, y, LABELS, x, {}, 1)


def test_an_unknown_setting_is_refused_by_name() -> None:
    x, y = world()
    with pytest.raises(InputError, match=r"discriminant: sharpnes: .* some of: temperature"):
        base.fit("discriminant", x, y, LABELS, x, {"sharpnes": 1}, 1)


def test_a_setting_out_of_bounds_is_refused_by_name() -> None:
    x, y = world()
    with pytest.raises(InputError, match="settings of kernel: landmarks: Input should be greater"):
        base.fit("kernel", x, y, LABELS, x, {"landmarks": 1}, 1)


class Toy(base.Transform):
    """The first base dimensions, and always the first label: a method of one short file."""

    method = "toy"

    @classmethod
    def fit(cls, sample: base.Sample, settings: base.NoSettings, seed: int) -> Toy:
        return cls(sample.labels, dimensions=sample.x.shape[1], size=2)

    def read(self, x: np.ndarray, features: Any = None, texts: Any = None) -> base.Prediction:
        n = len(x)
        sure, new = np.ones(n, np.float32), np.zeros(n, np.float32)
        return base.Prediction(x[:, :2].astype(np.float32), np.zeros(n, np.int32), sure, new)

    def tensors(self) -> dict[str, Any]:
        return {"width": np.full(1, self.dimensions, np.float32)}

    def settings(self) -> CalibratedSettings:
        return CalibratedSettings()

    @classmethod
    def restore(cls, tensors: Any, labels: Any, settings: Any, features: int = 0) -> Toy:
        return cls(labels, dimensions=int(tensors["width"][0]), size=2)


def test_a_new_method_is_one_class_and_one_line_of_registration(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(base.METHODS, "toy", f"{__name__}:Toy")
    x, y = world()
    made = base.fit(FitSettings(method="toy").method, x, y, LABELS, x, {}, 1)
    base.save(tmp_path, made, Card())
    restored, card = base.load(tmp_path)
    assert card.method == "toy" and isinstance(restored, Toy)
    np.testing.assert_array_equal(restored.apply(x).vectors, x[:, :2])


def test_a_mistake_inside_a_method_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(base.METHODS, "toy", f"{__name__}:Toy")
    monkeypatch.setattr(Toy, "fit", lambda *_: len(3))  # type: ignore[arg-type]
    x, y = world()
    with pytest.raises(TypeError, match="has no len"):
        base.fit("toy", x, y, LABELS, x, {}, 1)


def test_classes_without_a_text_are_not_in_the_view() -> None:
    x, y = world()
    view = base.fit("discriminant", x, y, (*LABELS, "absent"), x, {}, 1)
    assert view.labels == ("angry", "calm", "glad")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": np.zeros(3, int)}, r"expected \(n, d\) and \(n,\)"),
        ({"background": np.ones((4, 3))}, r"expected \(b, 8\)"),
        ({"labels": ("a", "a", "b")}, "1 names are repeated"),
        ({"labels": ("a", "b")}, "expected 0 to 1"),
        ({"x": np.full((60, 8), np.inf)}, "60 rows are not finite"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change: dict[str, Any], message: str) -> None:
    x, y = world()
    given_ = {"x": x, "y": y, "labels": LABELS, "background": x} | change
    with pytest.raises(ValueError, match=message):
        base.fit("discriminant", **given_, settings={}, seed=1)


@settings(deadline=None, max_examples=40)
@given(
    n=st.integers(1, 12),
    d=st.integers(1, 6),
    k=st.integers(1, 12),
    seed=st.integers(0, 99),
    copies=st.booleans(),
    features=st.integers(0, 9),
    method=st.sampled_from(list(QUICK)),
)
def test_whatever_is_fitted_never_reads_a_nan(
    n: int, d: int, k: int, seed: int, copies: bool, features: int, method: str
) -> None:
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, d)).round(int(copies))
    rich = random.normal(size=(n, features)).round(int(copies)) if features else None
    y = random.integers(k, size=n)
    labels = tuple(f"class {c:02d}" for c in range(k))
    view = base.fit(method, x, y, labels, x, QUICK[method], 1, rich)
    probes = np.concatenate([x, random.normal(size=(5, d)), np.zeros((1, d))])
    wide = None if rich is None else np.zeros((len(probes), features))
    for part in vars(view.apply(probes, wide)).values():
        assert np.isfinite(part).all()


@pytest.mark.parametrize("method", QUICK)
def test_one_class_may_be_a_thousand_times_as_large_and_dimensions_many_and_constant(
    method: str,
) -> None:
    random = np.random.default_rng(4)
    y = np.array([0] * 1_000 + [1])
    x = random.normal(size=(1_001, 512)).astype(np.float32)
    x[:, ::2] = 1
    x[-1, 1::4] += 3
    view = base.fit(method, x, y, ("many", "one"), x[:50], QUICK[method], 1)
    for part in vars(view.apply(x[-20:])).values():
        assert np.isfinite(part).all()
