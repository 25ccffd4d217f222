"""Which variable may hold a key, and over which connections it is sent."""

import pytest

from tasks.core.llm.client import find_endpoint
from tasks.core.llm.keys import is_private
from tasks.core.settings.label_section import LabelSettings
from tasks.core.settings.params import load_params
from tasks.core.workspace.errors import InputError


def asked(url, model):
    """Return settings as no check of `params.yaml` has seen them."""
    given = {"base_url": url, "model": model, "key_env": "SHOP_API_KEY"}
    return LabelSettings().model_copy(update=given)


@pytest.mark.parametrize(
    "name", ["OPENAI_API_KEY", "HF_TOKEN", "AZURE_OPENAI_KEY", "shop_apikey", "NO_API_KEY"]
)
def test_a_variable_for_a_key_may_be_named(tmp_path, name):
    (tmp_path / "params.yaml").write_text(f"label: {{key_env: {name}}}\n")
    assert load_params(tmp_path / "params.yaml").label.key_env == name


@pytest.mark.parametrize(
    "name",
    [
        *("HOME", "PATH", "PGPASSWORD", "DATABASE_URL", "AWS_SECRET_ACCESS_KEY", "SSH_KEY"),
        *("AWS_SESSION_TOKEN", "SIGNING_KEY", "MONKEY", "KEYRING", "NPM_DEPLOY_TOKEN"),
    ],
)
def test_a_variable_for_anything_else_may_not(tmp_path, name):
    (tmp_path / "params.yaml").write_text(f"label: {{key_env: {name}}}\n")
    with pytest.raises(InputError, match=r"label\.key_env: must be the name .*SHOP_API_KEY"):
        load_params(tmp_path / "params.yaml")


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("https://api.example.org/v1", True),
        ("http://127.0.0.1:8000/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://localhost/v1", True),
        ("http://127.0.0.1.evil.example/v1", False),
        ("http://localhost.evil.example/v1", False),
        ("http://10.0.0.5:8000/v1", False),
        ("http://0x7f.1/v1", False),
    ],
)
def test_a_key_is_sent_over_plain_http_to_this_machine_alone(monkeypatch, url, private):
    monkeypatch.setenv("SHOP_API_KEY", "sk-secret")
    assert is_private(url) == private
    if private:
        assert find_endpoint(asked(url, "m")).base_url == url
    else:
        with pytest.raises(InputError, match="plain http, and SHOP_API_KEY holds a key") as caught:
            find_endpoint(asked(url, "m"))
        assert "sk-secret" not in str(caught.value)
        monkeypatch.setenv("SHOP_API_KEY", "none")
        assert find_endpoint(asked(url, "m")).base_url == url
