"""The contract that every transform keeps, and the two files on disk."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.core.numerics.rows import unit_rows
from tasks.core.settings.calibrated import CalibratedSettings
from tasks.core.settings.fit_section import FitSettings
from tasks.core.transforms import base
from tasks.core.transforms.card import CARD, TENSORS, read_card
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifests import Card

QUICK: dict[str, dict[str, Any]] = {
    "identity": {},
    "fda": {},
    "kernel": {"landmarks": 20},
    "auto": {"discriminant": {"residual": 4}},
    "discriminant": {"residual": 4},
    "gstransform": {"hidden": 8, "dimensions": 4, "epochs": 3, "batch_size": 16},
}
LABELS = ("calm", "angry", "glad")


def world(n: int = 60, d: int = 8, k: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    y = np.arange(n) % k
    x = random.normal(size=(k, d))[y] + 0.7 * random.normal(size=(n, d))
    return unit_rows(x), y


def fitted(method: str, **changes: Any) -> base.Transform:
    x, y = world()
    return base.fit(method, x, y, LABELS, x, QUICK[method] | changes, seed=1)


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


@pytest.mark.parametrize("method", QUICK)
def test_read_only_and_strided_rows_are_taken_as_they_come(method: str) -> None:
    x, _ = world()
    view = fitted(method)
    plain, locked = view.apply(x).vectors, x.copy()
    locked.flags.writeable = False
    np.testing.assert_array_equal(view.apply(locked).vectors, plain)
    np.testing.assert_allclose(view.apply(x[::2]).vectors, plain[::2], atol=1e-6)
    np.testing.assert_allclose(view.apply(np.asfortranarray(x)).vectors, plain, atol=1e-6)


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


@pytest.mark.parametrize("method", QUICK)
def test_what_is_loaded_reads_exactly_as_what_was_saved(method: str, tmp_path: Path) -> None:
    x, _ = world()
    view = fitted(method)
    base.save(tmp_path / "mood", view, Card(fingerprint="abc", seed=60))
    loaded, card = base.load(tmp_path / "mood")
    assert card.fingerprint == "abc" and card.seed == 60 and card.method == method
    assert card == base.read_card(tmp_path / "mood")
    assert (loaded.labels, loaded.settings()) == (view.labels, view.settings())
    assert (loaded.dimensions, loaded.size) == (view.dimensions, view.size)
    for one, other in zip(
        vars(view.apply(x)).values(), vars(loaded.apply(x)).values(), strict=True
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("method", QUICK)
def test_the_same_input_is_saved_as_the_same_bytes(method: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        base.save(tmp_path / name, fitted(method), Card(seed=1))
    base.save(tmp_path / "c", base.load(tmp_path / "a")[0], Card(seed=1))
    for file in (TENSORS, CARD):
        assert len({(tmp_path / name / file).read_bytes() for name in "abc"}) == 1
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [CARD, TENSORS]


def saved(folder: Path) -> Path:
    base.save(folder, fitted("discriminant"), Card(seed=1))
    return folder


def test_a_changed_byte_of_the_tensors_is_found(tmp_path: Path) -> None:
    path = saved(tmp_path / "mood") / TENSORS
    payload = bytearray(path.read_bytes())
    payload[-1] ^= 1
    path.write_bytes(payload)
    message = r"found SHA-256 \w{12}, expected \w{12} .*; run 'refract fit mood --force'$"
    with pytest.raises(InputError, match=message) as caught:
        base.load(path.parent)
    assert "\n" not in str(caught.value)


def test_a_kill_between_the_two_files_is_found(tmp_path: Path) -> None:
    folder = saved(tmp_path / "mood")
    card = (folder / CARD).read_bytes()
    base.save(folder, fitted("identity"), Card(seed=1))
    (folder / CARD).write_bytes(card)
    with pytest.raises(InputError, match="SHA-256"):
        base.load(folder)


@pytest.mark.parametrize("file", [CARD, TENSORS])
def test_a_missing_file_is_named_with_its_cure(file: str, tmp_path: Path) -> None:
    folder = saved(tmp_path / "mood")
    (folder / file).unlink()
    with pytest.raises(InputError, match=rf"{file}: found .*; run 'refract fit mood --force'$"):
        base.load(folder)


@pytest.mark.parametrize(
    ("text", "found"),
    [("{", "unreadable"), ("[1]", "list"), ("{}", "no format, method"), ("\udcff", "unreadable")],
)
def test_a_card_that_is_no_card_is_refused(text: str, found: str, tmp_path: Path) -> None:
    folder = saved(tmp_path / "mood")
    (folder / CARD).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=found):
        base.read_card(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"labels": ["one"]},
        {"size": 5},
        {"settings": {}},
        {"settings": {"sharpness": "high"}},
        {"method": "wizardry"},
        {"method": "gstransform"},
    ],
)
def test_a_card_that_does_not_fit_its_tensors_is_refused(
    change: dict[str, Any], tmp_path: Path
) -> None:
    folder = saved(tmp_path / "mood")
    card = json.loads((folder / CARD).read_text()) | change
    (folder / CARD).write_text(json.dumps(card))
    with pytest.raises(InputError, match="run 'refract fit mood --force'"):
        base.load(folder)


def test_a_card_of_another_format_is_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path / "mood")
    card = json.loads((folder / CARD).read_text()) | {"format": 99}
    (folder / CARD).write_text(json.dumps(card))
    with pytest.raises(
        InputError,
        match=r"written by a newer Refract .format 99, this one reads 2.; upgrade Refract",
    ):
        base.load(folder)


def test_reading_a_card_imports_neither_torch_nor_numpy() -> None:
    code = (
        "import sys, tasks.core.transforms.card; "
        "print({'torch', 'numpy', 'safetensors'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


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
    x = random.normal(size=(1_001, 1_024)).astype(np.float32)
    x[:, ::2] = 1
    x[-1, 1::4] += 3
    view = base.fit(method, x, y, ("many", "one"), x[:50], QUICK[method], 1)
    for part in vars(view.apply(x[-20:])).values():
        assert np.isfinite(part).all()


def test_a_broken_kept_transform_names_the_verb_that_writes_its_view_anew(tmp_path):
    for folder, cure in (
        ("mood.transforms/None", "materialise mood"),
        ("mood", "fit mood --force"),
    ):
        with pytest.raises(InputError, match=f"run 'refract {cure}'"):
            read_card(tmp_path / folder)
