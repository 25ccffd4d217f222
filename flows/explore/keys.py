"""Where the service listens, what opens it, and by which code it answers."""

from __future__ import annotations

import hashlib
import hmac
import sys
from dataclasses import dataclass

from flows.warm.identity import code
from tasks.core.workspace.files import digest
from tasks.core.workspace.network import is_heard_here_alone


@dataclass(frozen=True)
class Address:
    """Where the service listens: `host` as the settings have it, and the port that it got."""

    host: str
    port: int

    @property
    def local(self) -> bool:
        """Whether nobody but this machine is heard."""
        return is_heard_here_alone(self.host)

    @property
    def url(self) -> str:
        """Where this machine finds it."""
        host = {"localhost": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host)  # noqa: S104
        host = host or self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


@dataclass(repr=False)
class Keys:
    """What opens the service: the secret of this start, and the token of the user, if any.

    once: signs a browser in one time, whose start others may see on a machine that is shared.
    """

    secret: str
    token: str | None = None
    once: str | None = None

    @property
    def cookie(self) -> str:
        """What a browser that has signed in sends: it opens the service, and tells no token.

        It outlives this start where the token does.
        """
        of = self.token or self.secret
        return hmac.new(of.encode(), b"cookie of refract explore", hashlib.sha256).hexdigest()

    def open(self, given: str) -> bool:
        """Tell whether `given` is one of them."""
        return any(_same(given, known) for known in (self.secret, self.token))

    def sign_in(self, given: str) -> bool:
        """Tell whether `given` may sign a browser in; what was for one time has been used then."""
        if _same(given, self.once):
            self.once = None
            return True
        return self.open(given)


def made_by() -> str:
    """Name the program that answers: one of other code, or of another Python, is not asked."""
    return digest(sys.version, list(code()))


def _same(given: str, known: str | None) -> bool:
    """Compare in a time that tells nothing of what is known."""
    return known is not None and hmac.compare_digest(
        given.encode("utf-8", "replace"), known.encode()
    )
