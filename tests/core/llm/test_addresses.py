"""Where an endpoint is said to be, and the key for it: the settings and the environment."""

import pytest

from tasks.core.llm.client import find_endpoint
from tasks.core.settings.label_section import LabelSettings, check_url
from tasks.core.settings.params import load_params
from tasks.core.workspace.errors import InputError


def asked(url, model):
    """Return settings as no check of `params.yaml` has seen them."""
    given = {"base_url": url, "model": model, "key_env": "KEY"}
    return LabelSettings().model_copy(update=given)


@pytest.mark.parametrize(
    "url", ["ftp://x/v1", "x", "http://", "http://a:b@h/v1", "http://h/v1?key=x", "http://h:x"]
)
def test_an_address_that_is_none_or_holds_a_key_is_refused_without_repeating_it(monkeypatch, url):
    monkeypatch.delenv("OPENAI_MODEL", raising=False)
    with pytest.raises(ValueError, match="must"):
        check_url(url)
    with pytest.raises(InputError, match=r"label\.base_url") as caught:
        find_endpoint(asked(url, "m"))
    assert url not in str(caught.value).replace("http://127.0.0.1:8000/v1", "")


def test_the_environment_completes_the_settings(monkeypatch):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("OPENAI_MODEL", raising=False)
    with pytest.raises(InputError, match="texts are sent to no other"):
        find_endpoint(asked(None, "m"))
    with pytest.raises(InputError, match=r"label.model is not set, nor is OPENAI_MODEL"):
        find_endpoint(asked("http://h:8000/v1", None))
    monkeypatch.setenv("OPENAI_BASE_URL", "https://host.example/v1")
    monkeypatch.setenv("OPENAI_MODEL", "small")
    found = find_endpoint(asked(None, None))
    assert (found.host, found.model) == ("host.example", "small")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("key_env: sk-secret-1", "label.key_env: String should match pattern"),
        ("base_url: https://me:sk-secret-1@h/v1", "label.base_url: must hold no key"),
        ("api_key: sk-secret-1", "label.api_key: unknown key"),
        ("max_usd: 3", "label: max_usd needs prices"),
    ],
)
def test_a_key_in_the_wrong_place_is_refused_and_not_repeated(tmp_path, line, said):
    (tmp_path / "params.yaml").write_text(f"label: {{{line}}}\n")
    with pytest.raises(InputError, match=r"params\.yaml: ") as caught:
        load_params(tmp_path / "params.yaml")
    assert said in str(caught.value)
    assert "sk-secret" not in str(caught.value)
