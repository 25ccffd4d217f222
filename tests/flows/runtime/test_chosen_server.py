"""Whether somebody has named a Prefect server, in any place where Prefect looks."""

import sys

import pytest

from flows.runtime.server import chosen_server

NAMED = "http://prefect.example/api"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home and a working folder where nothing names a server."""
    for name in ("PREFECT_API_URL", "PREFECT_HOME", "PREFECT_PROFILE", "PREFECT_PROFILES_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delitem(sys.modules, "prefect")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".prefect").mkdir()
    return tmp_path


def profiles(active, **urls):
    tables = [f'[profiles.{name}]\nPREFECT_API_URL = "{url}"\n' for name, url in urls.items()]
    return f'active = "{active}"\n[profiles.none]\n' + "".join(tables)


def test_nobody_has_where_nothing_says_so(home):
    assert not chosen_server.user_chose_a_server()
    (home / ".prefect" / "profiles.toml").write_text(profiles("none", other=NAMED))
    (home / ".env").write_text("OTHER=1\n")
    (home / "prefect.toml").write_text("[server]\n")
    (home / "pyproject.toml").write_text("[tool.other]\n")
    assert not chosen_server.user_chose_a_server()


@pytest.mark.parametrize(
    ("file", "content"),
    [
        (".prefect/profiles.toml", profiles("mine", mine=NAMED)),
        (".env", f"PREFECT_API_URL={NAMED}\n"),
        ("prefect.toml", f'[api]\nurl = "{NAMED}"\n'),
        ("pyproject.toml", f'[tool.prefect.api]\nurl = "{NAMED}"\n'),
    ],
)
def test_a_file_that_prefect_reads_names_one(home, file, content):
    (home / file).write_text(content)
    assert chosen_server.user_chose_a_server()


def test_the_environment_names_one(home, monkeypatch):
    (home / ".prefect" / "profiles.toml").write_text(profiles("none", mine=NAMED))
    monkeypatch.setenv("PREFECT_PROFILE", "mine")
    assert chosen_server.user_chose_a_server()
    monkeypatch.setenv("PREFECT_PROFILE", "local")  # Prefect brings this one
    assert chosen_server.user_chose_a_server()
    monkeypatch.setenv("PREFECT_PROFILE", "none")
    assert not chosen_server.user_chose_a_server()
    monkeypatch.setenv("PREFECT_API_URL", NAMED)
    assert chosen_server.user_chose_a_server()


@pytest.mark.parametrize("content", ["[", "active = 3", 'profiles = "x"', "\x00"])
def test_a_damaged_file_names_none(home, content):
    (home / ".prefect" / "profiles.toml").write_text(content)
    assert not chosen_server.user_chose_a_server()
