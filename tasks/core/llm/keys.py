"""An endpoint's key: where it is, and over which connections it is sent."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from tasks.core.settings.label_section import check_url
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.network import is_loopback

NO_KEY = "none"  # what a server that wants no key is sent


def key_in(variable: str) -> str:
    """Return the key out of the environment; "" where there is none, as for a local server."""
    return os.environ.get(variable, "").strip()


def refuse_open_key(url: str, variable: str) -> None:
    """Raise InputError where a key would cross a network that anyone on the way can read."""
    if key_in(variable) in ("", NO_KEY) or is_private(url):
        return
    raise InputError(
        f"label.base_url (or OPENAI_BASE_URL): {check_url(url)} is asked over plain http, and"
        f" {variable} holds a key, which anyone on the way could read; expected https, or a server"
        " on this machine (127.0.0.1, also through 'ssh -L'); if it wants no key, set"
        " label.key_env to a variable that is not set, such as NO_API_KEY"
    )


def is_private(url: str) -> bool:
    """Tell whether what is sent to `url` is encrypted, or stays on this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or is_loopback(parts.hostname or "")
