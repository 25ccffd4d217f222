"""YAML that people write, read within bounds: its size, its depth, and nothing expanded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import yaml

from tasks.core.text.discretion import shown
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.merge_conflicts import refuse_conflict

SIZE = 1 << 20  # bytes
DEPTH = 16  # levels; params.yaml has three
PARTS = 100_000  # keys, values and brackets: half a second


def load_yaml(path: Path) -> Any:
    """Return what `path` holds, as plain values; InputError for what is no YAML, or beyond bounds.

    Keys are texts as they are written: `no`, `yes` and `1` are the names they look like. Anchors,
    aliases and keys that stand there twice are refused.
    """
    try:
        with path.open("rb") as file:
            content = file.read(SIZE + 1)
        if len(content) > SIZE:
            raise InputError(f"{path.name}: found more than {SIZE:,} bytes, expected a short file")
        refuse_conflict(path.name, content)
        text = content.decode("utf-8-sig")
        _check(path.name, text)
        return _plain(path.name, yaml.compose(text, Loader=yaml.CSafeLoader), ())
    except InputError:
        raise
    except (yaml.YAMLError, ValueError, OverflowError, OSError) as error:
        said = f"{path.name}: not readable as YAML ({_where(error)}); correct it"
        raise InputError(said) from error


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    said = " ".join(str(getattr(error, "problem", None) or error).split())
    return f"line {mark.line + 1}: {said[:120]}" if mark else said[:120]


def _check(name: str, text: str) -> None:
    """Refuse what is too deep, too much or expands, before anything is built of it."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.CSafeLoader)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEPTH:
            _refuse(name, event, f"more than {DEPTH} levels", "a short file; correct it")
        if count > PARTS:
            _refuse(name, event, f"more than {PARTS:,} parts", "a short file; correct it")
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
    builder = yaml.constructor.SafeConstructor()
    return builder.construct_object(node, deep=True)
