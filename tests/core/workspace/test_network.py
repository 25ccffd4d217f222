"""Nothing on this machine goes through a proxy, and what bars the way is named in one line."""

import getpass
import os
import pwd
from pathlib import Path

import pytest

from flows.runtime.environment import settle_home
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.network import PROXIES, check_network, proxy_for, spare_loopback
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.trusting import write_trust
from tasks.core.workspace.user_state import HOMELESS


@pytest.fixture(autouse=True)
def _quiet(monkeypatch):
    for name in (*PROXIES, "no_proxy", "ssl_cert_file"):
        for each in (name, name.upper()):
            monkeypatch.setenv(each, "")  # so that it is put back whatever the code sets
            monkeypatch.delenv(each)


def test_this_machine_is_spared_and_what_was_spared_before_stays(monkeypatch):
    spare_loopback()
    assert "NO_PROXY" not in os.environ
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", "intern.example, 127.0.0.1")
    spare_loopback()
    assert os.environ["no_proxy"] == os.environ["NO_PROXY"]
    assert os.environ["NO_PROXY"] == "intern.example,127.0.0.1,localhost,::1"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "localhost", "a.localhost", "[::1]"])
def test_no_proxy_is_between_this_machine_and_itself(monkeypatch, host):
    monkeypatch.setenv("ALL_PROXY", "http://proxy:3128")
    assert proxy_for(f"http://{host}:8000/v1") is None


def test_other_machines_are_reached_as_the_environment_says(monkeypatch):
    assert proxy_for("https://api.example/v1") is None
    monkeypatch.setenv("ALL_PROXY", "all:1")
    assert proxy_for("https://api.example/v1") == "http://all:1"
    monkeypatch.setenv("https_proxy", "socks5h://secure:2")
    assert proxy_for("https://api.example/v1") == "socks5h://secure:2"
    assert proxy_for("http://api.example/v1") == "http://all:1"
    monkeypatch.setenv("no_proxy", "example")
    assert proxy_for("https://api.example/v1") is None


@pytest.mark.parametrize(
    ("proxy", "found"),
    [
        ("socks://127.0.0.1:1080", "a proxy of kind 'socks'"),
        ("ftp://user:secret@x", "a proxy of kind 'ftp'"),
        ("http://", "no host"),
        ("http://[x", "no URL"),
        ("http://x:port", "no URL"),
    ],
)
def test_a_proxy_that_no_client_can_use_is_named_without_its_password(monkeypatch, proxy, found):
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(InputError, match=f"variable ALL_PROXY: found {found}") as caught:
        check_network()
    assert "secret" not in str(caught.value)


def test_a_socks_proxy_needs_its_package(monkeypatch):
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:1080")
    check_network()
    monkeypatch.setattr("tasks.core.workspace.network.find_spec", lambda name: None)
    with pytest.raises(InputError, match="variable all_proxy: found a SOCKS proxy"):
        check_network()


def test_certificates_that_are_none_are_named(monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "gone.pem"))
    with pytest.raises(InputError, match=r"SSL_CERT_FILE: found .*gone\.pem', which is not there"):
        check_network()
    (tmp_path / "gone.pem").write_text("no certificate")
    with pytest.raises(InputError, match="which holds no certificate; expected"):
        check_network()


def test_who_has_no_home_gets_one_for_a_while_that_vouches_for_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", "/root")
    settle_home()
    assert os.environ["HOME"] == "/root"
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "")  # so that it is put back
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", lambda _: (_ for _ in ()).throw(KeyError("uid")))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv(HOMELESS, "")  # so that it is put back
    settle_home()
    assert Path.home().is_dir() and not list(Path.home().iterdir())
    with pytest.raises(InputError, match="found no home folder to note it in"):
        write_trust(Paths(tmp_path), frozenset(), made_here=True)
    assert getpass.getuser().startswith("uid-")
