"""The one exception the command line turns into a single line and exit code 2."""

from __future__ import annotations


class InputError(ValueError):
    """Refuse what the user gave: found, expected, and what to do next, in one line."""
