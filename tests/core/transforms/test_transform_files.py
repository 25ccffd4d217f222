"""The two files of a transform: the same bytes for the same input; others are refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.core.transforms import base
from tasks.core.transforms.card import CARD, TENSORS, read_card
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifests import Card
from tests.core.transforms.quick import LABELS, QUICK, fitted, world


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
    x, y = world()
    for name in ("a", "b"):
        made = base.fit(method, x, y, LABELS, x, QUICK[method], 1)
        base.save(tmp_path / name, made, Card(seed=1))
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


def test_a_broken_kept_transform_names_the_verb_that_writes_its_view_anew(tmp_path):
    for folder, cure in (
        ("mood.transforms/None", "materialise mood"),
        ("mood", "fit mood --force"),
    ):
        with pytest.raises(InputError, match=f"run 'refract {cure}'"):
            read_card(tmp_path / folder)
