"""What a message may repeat of what it was given: the beginning, and never what may be a secret."""

from __future__ import annotations

import re

LONGEST = 80  # characters of a wrong value that a message shows

# How the keys of well-known services begin: OpenAI, Anthropic, Stripe, Hugging Face, Groq, xAI,
# GitHub, GitLab, Slack, AWS, Google, and signed tokens (JWT).
_PREFIX = re.compile(
    r"(sk|pk|rk|gsk|xai|hf|ghp|gho|ghs|ghu|glpat|xox[a-z]|r8|nvapi|tgp)[-_]|github_pat_|AKIA|ASIA|AIza|eyJ"
)
_TOKEN = re.compile(r"[A-Za-z0-9_.+=~-]{20,}")  # no blank and no slash: neither words nor a path


def may_be_secret(text: str) -> bool:
    """Tell whether `text` holds what looks like a key: a known beginning, or a long random word."""
    return any(_is_key(word) for word in re.split(r"[\s\"'{}\[\](),:@/]+", text))


def _is_key(word: str) -> bool:
    if _PREFIX.match(word) and len(word) >= 8:
        return True
    mixed = (re.search(kind, word) for kind in ("[0-9]", "[A-Za-z]"))
    return bool(_TOKEN.fullmatch(word)) and all(mixed) and not re.fullmatch(r"[0-9.e+-]+", word)


def shown(value: object) -> str:
    """Return a value as Python writes it, 80 characters at most, or why it is not repeated."""
    if isinstance(value, list | tuple | dict | set):
        return f"a {type(value).__name__} of {len(value):,}"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**LONGEST:
        return "a number of more than 80 digits"
    text = str(value)
    if may_be_secret(text):
        return f"{len(text):,} characters that may be a key, not shown"
    begin = ascii(value) if not text.isprintable() else repr(value)
    return begin if len(begin) <= LONGEST else begin[: LONGEST - 1] + "…"


def cut(text: str) -> str:
    """Return the beginning of `text`, 80 characters at most, as a terminal may show it."""
    visible = "".join(char if char.isprintable() else "?" for char in text)
    return visible if len(visible) <= LONGEST else visible[: LONGEST - 1] + "…"
