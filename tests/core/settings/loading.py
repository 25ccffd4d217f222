"""Settings as a workspace loads them, or what it says instead."""

import pytest

from tasks.core.settings.params import load_params
from tasks.core.workspace.errors import InputError


def load(tmp_path, text):
    (tmp_path / "params.yaml").write_text(text, "utf-8")
    return load_params(tmp_path / "params.yaml")


def refusal(tmp_path, text):
    with pytest.raises(InputError) as caught:
        load(tmp_path, text)
    assert "\n" not in str(caught.value)
    return str(caught.value)
