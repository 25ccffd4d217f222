"""One setting written into params.yaml; every other byte stays."""

import difflib

import pytest
import yaml

from tasks.core.settings.params import Params, load_params, render_params
from tasks.core.settings.write_setting import write_setting, write_settings
from tasks.core.settings.yaml_edit import with_value
from tasks.core.workspace.errors import InputError

TEXT = ("ingest", "text")
NEXT = ("embed", "next")
COLUMN = {"column": "Category"}


def changed(before, after):
    """Return the lines that went, and those that came."""
    lines = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    return [[line[2:] for line in lines if line.startswith(sign)] for sign in ("- ", "+ ")]


def test_a_value_is_exchanged_and_its_comment_stays():
    before = render_params(Params())
    after = with_value(before, TEXT, "Complaint: what")
    old, new = changed(before, after)
    assert old == ["  text: null  # column of the text; null: detect"]
    assert new == ["  text: 'Complaint: what'  # column of the text; null: detect"]


@pytest.mark.parametrize(
    ("before", "place", "value", "after"),
    [
        ("", TEXT, "x", "ingest: {text: x}\n"),
        ("# only\n", TEXT, "x", "# only\ningest: {text: x}\n"),
        ("fit:\n  seed: 1 # one", TEXT, "x", "fit:\n  seed: 1 # one\ningest: {text: x}\n"),
        ("ingest:\n  text:  # which\n", TEXT, "no", "ingest:\n  text: 'no'  # which\n"),
        ("ingest: {id: a} # b\n", TEXT, "x", "ingest: {id: a, text: x} # b\n"),
        ("ingest:\n\nfit: {}\n", TEXT, "x", "ingest: {text: x}\n\nfit: {}\n"),
        ("fit:\r\n  seed: 1\r\n", TEXT, "x", "fit:\r\n  seed: 1\r\ningest: {text: x}\r\n"),
        ("ingest:\r\n  id: a\r\n", TEXT, "x", "ingest:\r\n  id: a\r\n  text: x\r\n"),
        (
            "instructions:\n  a: wording # why\n\nfit: {}\n",
            ("instructions", "b"),
            COLUMN,
            "instructions:\n  a: wording # why\n  b: {column: Category}\n\nfit: {}\n",
        ),
        (
            "instructions:\n  a: |\n    two\n    lines\n# about fit\nfit: {}\n",
            ("instructions", "b"),
            COLUMN,
            "instructions:\n  a: |\n    two\n    lines\n  b: {column: Category}\n"
            "# about fit\nfit: {}\n",
        ),
        (
            "instructions: {}\n",
            ("instructions", "a"),
            {"column": "x, y}"},
            "instructions: {a: {column: 'x, y}'}}\n",
        ),
        (
            "embed:\n  next: {a: 1}  # b\nfit: {}\n",
            NEXT,
            None,
            "embed:\n  next: null  # b\nfit: {}\n",
        ),
        (
            "embed:\n  next:\n    a: 1  # b\n    c: d\n  model: m\n",
            NEXT,
            None,
            "embed:\n  next: null\n  model: m\n",
        ),
        ("embed:\n  next:  # b\n    a: 1\n", NEXT, None, "embed:\n  next:  # b\n    null\n"),
        (
            "embed:\n  next:\n    a: |\n      x\nfit: {}\n",
            NEXT,
            None,
            "embed:\n  next: null\nfit: {}\n",
        ),
        ("embed: {next: {a: 1}, model: m}", NEXT, None, "embed: {next: null, model: m}"),
    ],
)
def test_only_what_is_asked_for_changes(before, place, value, after):
    assert with_value(before, place, value) == after
    yaml.safe_load(after)


def test_a_setting_is_written_and_read_back(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(render_params(Params()))
    found = write_setting(path, ("instructions", "category"), COLUMN)
    assert found.columns() == {"category": "Category"}
    assert load_params(path) == found
    assert load_params(path).wording("category") is None


def test_settings_that_only_go_together_are_written_together(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(
        "embed:\n  storage: int8  # small\n  next: {features: last, storage: float16}\n"
    )
    changes = {("embed", "features"): "last", ("embed", "storage"): "float16", NEXT: None}
    assert write_settings(path, changes).embed.features == "last"
    after = "embed:\n  storage: float16  # small\n  next: null\n  features: last\n"
    assert path.read_text() == after


def test_an_instruction_with_column_and_wording_is_rendered_as_it_was(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("instructions: {a: {wording: by what, column: A}, b: plain}\n")
    found = load_params(path)
    assert (found.wording("a"), found.wording("b"), found.columns()) == (
        "by what",
        "plain",
        {"a": "A"},
    )
    path.write_text(render_params(found))
    assert load_params(path) == found


def test_a_file_that_cannot_be_changed_without_loss_stays_and_says_what_to_write(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("instructions:\n  a:\n    column: A\n")
    with pytest.raises(InputError, match=r"set instructions.a to \{column: Category\} there"):
        write_setting(path, ("instructions", "a"), COLUMN)
    assert path.read_text() == "instructions:\n  a:\n    column: A\n"


def test_a_link_and_a_file_that_is_read_only_stay_as_they_are(tmp_path):
    path, shared = tmp_path / "params.yaml", tmp_path / "shared.yaml"
    shared.write_text("ingest: {id: a}\n")
    path.symlink_to(shared.name)
    with pytest.raises(InputError, match=r"found a link; .*; set ingest.text to x there, by hand"):
        write_setting(path, TEXT, "x")
    assert path.is_symlink()
    shared.chmod(0o444)
    with pytest.raises(InputError, match=r"found it read-only; expected one that may be written"):
        write_setting(shared, TEXT, "x")
    assert shared.read_text() == "ingest: {id: a}\n"
