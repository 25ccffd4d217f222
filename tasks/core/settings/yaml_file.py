"""YAML that people or DVC wrote, read within bounds and refused before it does harm."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import yaml

from tasks.core.settings.merge_conflicts import refuse_conflict
from tasks.core.text.discretion import cut, shown
from tasks.core.workspace.errors import InputError

_ODD = re.compile(r"[-+]?(0[0-9_]+|[0-9_]+(:[0-9_.]+)+)")  # 010 is 8 to YAML 1.1, 1:30 is 90


@dataclass(frozen=True)
class Bounds:
    """How much a file may hold, in bytes, levels of nesting, and keys, values and brackets.

    plain: anchors, tags and keys that stand there twice are refused, and keys are texts as they
    are written: `no`, `yes` and `1` are the names they look like. cure: what to do with a file
    that is refused.
    """

    size: int
    depth: int
    parts: int
    plain: bool
    cure: str


SETTINGS = Bounds(1 << 20, 16, 100_000, plain=True, cure="correct it")  # half a second at most
NOTES = Bounds(1 << 22, 64, 1 << 21, plain=False, cure="restore it")  # of DVC: some kilobytes


def load_yaml(path: Path) -> Any:
    """Return what a file of settings holds; InputError for what is no YAML, or beyond bounds."""
    return parse_yaml(path.name, read_bounded(path), SETTINGS)


def read_bounded(path: Path) -> bytes:
    """Return the content of a file of settings, or as much of it as shows that it is too long."""
    try:
        with path.open("rb") as file:
            return file.read(SETTINGS.size + 1)
    except OSError as error:
        raise InputError(f"{path.name}: not readable as YAML ({error.strerror})") from error


def parse_note(name: str, content: bytes) -> dict[str, object]:
    """Return what a note of DVC holds; InputError for one that is none, or only does harm."""
    note = parse_yaml(name, content, NOTES)
    if note is None:
        return {}
    if not isinstance(note, dict):
        raise InputError(f"{name}: found {type(note).__name__}; expected a note of DVC; restore it")
    return note


def parse_yaml(name: str, content: bytes, bounds: Bounds) -> Any:
    """Return the values in `content`; InputError that names the line and the cure."""
    try:
        if len(content) > bounds.size:
            raise InputError(
                f"{name}: found more than {bounds.size:,} bytes, expected a short file;"
                f" {bounds.cure}"
            )
        refuse_conflict(name, content)
        text = content.decode("utf-8-sig")
        _check(name, text, bounds)
        if bounds.plain:
            return _plain(name, yaml.compose(text, Loader=yaml.CSafeLoader), ())
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except InputError:
        raise
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        said = f"{name}: not readable as YAML ({_where(error)}); {bounds.cure}"
        raise InputError(said) from error


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    said = " ".join(str(getattr(error, "problem", None) or error).split())
    return f"line {mark.line + 1}: {cut(said)}" if mark else cut(said)


def _check(name: str, text: str, bounds: Bounds) -> None:
    """Refuse what is too deep, too much or expands, before anything is built of it."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.CSafeLoader)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > bounds.depth:
            _refuse(name, event, f"more than {bounds.depth} levels", f"fewer; {bounds.cure}")
        if count > bounds.parts:
            _refuse(name, event, f"more than {bounds.parts:,} parts", f"fewer; {bounds.cure}")
        if not bounds.plain:
            continue
        if getattr(event, "anchor", None) is not None:
            plain = "plain values; write the value out, or put it into quotes"
            _refuse(name, event, "an anchor or alias (& or *)", plain)
        if getattr(event, "tag", None) is not None:
            _refuse(name, event, "a tag (!)", "plain values; put the value into quotes")


def _refuse(name: str, event: yaml.Event, found: str, expected: str) -> NoReturn:
    mark = event.start_mark
    line = f"line {mark.line + 1}: " if mark else ""
    raise InputError(f"{name}: {line}found {found}, expected {expected}")


def _plain(file: str, node: Any, place: tuple[str, ...]) -> Any:
    if isinstance(node, yaml.MappingNode):
        return dict(_items(file, node, place))
    if isinstance(node, yaml.SequenceNode):
        return [_plain(file, each, place) for each in node.value]
    return None if node is None else _scalar(node)


def _items(file: str, node: yaml.MappingNode, place: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    lines: dict[str, int] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise InputError(f"{file}: line {line}: found a key of several parts, expected a name")
        inside = (*place, key.value)
        if key.value in lines:
            raise InputError(
                f"{file}: {named(inside)}: found twice, in lines {lines[key.value]} and {line};"
                " keep one of them"
            )
        lines[key.value] = line
        yield key.value, _plain(file, value, inside)


def named(place: tuple[int | str, ...]) -> str:
    """Return the place of a value as it is written in messages, such as 'fit.seed'."""
    return ".".join(
        part if part.replace("_", "").isalnum() and shown(part) == repr(part) else shown(part)
        for part in map(str, place)
    )


def _scalar(node: yaml.ScalarNode) -> Any:
    """Return the value of a scalar; YAML 1.1's octal 010 and sexagesimal 1:30 are refused."""
    value = yaml.constructor.SafeConstructor().construct_object(node, deep=True)
    if isinstance(value, int | float) and _ODD.fullmatch(node.value):
        raise yaml.constructor.ConstructorError(
            None,
            None,
            "found a number with a leading 0 or with colons, which YAML reads in another base;"
            " write it plainly, or in quotes",
            node.start_mark,
        )
    return value
