"""What the command line turns into a single line and exit code 2."""

from __future__ import annotations


class InputError(ValueError):
    """Refuse what the user gave: found, expected, and what to do next, in one line."""


class MissingError(InputError):
    """Refuse a name or id that nothing here has; the service answers 404."""


class UnmadeError(InputError):
    """Refuse a question to tables that no verb has made yet; the service answers 503."""
