"""Which variables of the environment a workspace may name as that of a key."""

from __future__ import annotations

_OF_A_KEY = {"KEY", "APIKEY", "TOKEN"}
_OF_OTHER_SECRETS = {"SECRET", "ACCESS", "PRIVATE", "SSH", "SIGNING", "DEPLOY", "PASSWORD", "AWS"}


def check_key_name(name: str) -> None:
    """Raise ValueError unless `name` is that of a variable in which keys of an API are kept.

    A file that came from elsewhere must not choose just any secret of the environment.
    """
    words = set(name.upper().split("_"))
    if not words & _OF_A_KEY or words & _OF_OTHER_SECRETS:
        raise ValueError(
            "must be the name of an environment variable for an API's key, such as SHOP_API_KEY:"
            " with KEY or TOKEN as a word of it, and none of"
            f" {', '.join(sorted(_OF_OTHER_SECRETS))}"
        )
