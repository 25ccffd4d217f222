"""What a command and the process that runs it say to each other: JSON, a message a packet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

LARGEST = 1 << 17  # bytes of a message; an environment is in one


class Request(NamedTuple):
    """A command line, and what it is to be run as.

    limits: number, soft and hard of each; ignored: numbers of signals. No dataclass: who hands a
    command over imports as little as it can.
    """

    words: list[str]
    environment: dict[str, str]
    umask: int
    limits: list[tuple[int, int, int]]
    ignored: list[int]

    def packed(self) -> bytes:
        """Return the request as it is sent."""
        return packed(self._asdict())


def packed(message: Mapping[str, object]) -> bytes:
    """Return a message as it is sent."""
    return json.dumps(dict(message)).encode("utf-8", "surrogateescape")


def unpacked(content: bytes) -> dict[str, object]:
    """Return a message as it was sent; ValueError for what is none."""
    message = json.loads(content.decode("utf-8", "surrogateescape"))
    if not isinstance(message, dict):
        raise ValueError("no message")  # noqa: TRY004  # of a program, not of this one
    return message


def number_in(message: Mapping[str, object], key: str) -> int:
    """Return the number that a message has under `key`; KeyError or ValueError for none."""
    return _number(message[key])


def request_in(message: Mapping[str, object]) -> Request:
    """Return the request that a message is; KeyError or ValueError where it is none."""
    environment = message["environment"]
    if not isinstance(environment, dict):
        raise ValueError("no environment")  # noqa: TRY004  # as above
    limits = [
        (_number(a), _number(b), _number(c)) for a, b, c in map(_list, _list(message["limits"]))
    ]
    return Request(
        words=[str(word) for word in _list(message["words"])],
        environment={str(name): str(value) for name, value in environment.items()},
        umask=number_in(message, "umask"),
        limits=limits,
        ignored=[_number(each) for each in _list(message["ignored"])],
    )


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValueError("no list")  # noqa: TRY004  # as above
    return value


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise ValueError("no number")  # noqa: TRY004  # as above
    return value
