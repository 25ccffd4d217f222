"""What the environment says of the way to other machines: proxies and certificates."""

from __future__ import annotations

import ipaddress
import os
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from tasks.core.workspace.errors import InputError

LOOPBACK = ("localhost", "127.0.0.1", "::1")
PROXIES = ("http_proxy", "https_proxy", "all_proxy")
SCHEMES = ("http", "https", "socks5", "socks5h")  # those that httpx knows
STORE_URL = r"^s3://[a-z0-9][a-z0-9.-]{1,62}(/[A-Za-z0-9][A-Za-z0-9._=-]*){1,16}$"
ENDPOINT = r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/?$"
"""Neither holds a name, a key or a query, nor leads to a file of this machine."""


def spare_loopback() -> None:
    """Let nothing on this machine be asked for through a proxy, here and in child processes."""
    if not any(_value(name) for name in PROXIES):
        return
    spared = [host.strip() for host in _value("no_proxy").split(",") if host.strip()]
    whole = ",".join(dict.fromkeys([*spared, *LOOPBACK]))
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = whole


def check_network() -> None:
    """Refuse proxies and certificates of the environment that no HTTP client could work with."""
    for name in PROXIES:
        _checked(name)
    check_certificates()


def check_certificates() -> None:
    """Refuse a file of certificates that is none: every client of HTTP reads it, needed or not."""
    name = os.environ.get("SSL_CERT_FILE")
    if not name:
        return
    import ssl

    trouble = "is not there" if not Path(name).exists() else "holds no certificate"
    try:
        ssl.create_default_context(cafile=name)
    except OSError as error:
        trouble = error.strerror or trouble if isinstance(error, PermissionError) else trouble
        raise InputError(
            f"environment variable SSL_CERT_FILE: found {name[:200]!r}, which {trouble}; expected"
            " a file of certificates in PEM form; correct it, or unset it"
        ) from None


def proxy_for(url: str) -> str | None:
    """Return the proxy through which a URL is asked for; None for this machine and where none is.

    InputError for one that cannot be used.
    """
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host) or proxy_bypass(host):
        return None
    known = getproxies()
    scheme = parts.scheme if known.get(parts.scheme) else "all"
    return _usable(f"{scheme}_proxy", known[scheme]) if known.get(scheme) else None


def is_heard_here_alone(host: str) -> bool:
    """Tell whether who listens at this address hears nobody but this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _value(name: str) -> str:
    return os.environ.get(name) or os.environ.get(name.upper()) or ""


def _checked(name: str) -> None:
    if _value(name):
        _usable(name, _value(name))


def _usable(name: str, proxy: str) -> str:
    whole = proxy if "://" in proxy else f"http://{proxy}"
    name = name if name in os.environ else name.upper()
    try:
        parts = urlsplit(whole)
        found = None if parts.hostname and parts.port != 0 else "no host and port"
    except ValueError:
        found = "no URL"
    if found is None and parts.scheme not in SCHEMES:
        found = f"a proxy of kind {parts.scheme[:20]!r}"
    elif found is None and parts.scheme.startswith("socks") and find_spec("socksio") is None:
        found = "a SOCKS proxy, and the package socksio is not installed"
    if found is not None:
        raise InputError(
            f"environment variable {name}: found {found}; expected a URL such as"
            " http://proxy:3128 or socks5://proxy:1080; correct it, or unset it"
        )
    return whole
