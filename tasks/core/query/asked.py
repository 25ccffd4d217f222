"""The encoder that queries are asked by."""

from __future__ import annotations

from typing import Protocol

from tasks.core.encoding.encoder import Encoder


class Asked(Protocol):
    """The encoder that is asked for, by settings that may change while a space is open."""

    def names(self, space: str) -> bool:
        """Tell whether the encoder that is asked for has this fingerprint, as of now."""

    def encoder(self, precision: str) -> Encoder:
        """Return it, in the precision that base vectors were encoded in."""

    def wait_turned(self) -> None:
        """Wait while the workspace turns over to another one."""
