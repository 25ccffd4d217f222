"""One value of a YAML file changed, and every other byte left as it is: comments, order, quotes."""

from __future__ import annotations

from typing import Any

import yaml

INDENT = "  "


def with_value(text: str, place: tuple[str, ...], value: Any) -> str:
    """Return `text` with the value at `place`, such as ('ingest', 'text'), set.

    A mapping that is not there is written. YAMLError where `place` leads through a list.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is None or _is_null(root):
        changed = f"{text.rstrip()}\n{_line(place, value)}\n".lstrip()
    else:
        changed = _set(text, root, place, value)
    own = text.count("\n") == text.count("\r\n") > 0  # every line ends as on Windows
    return changed.replace("\r\n", "\n").replace("\n", "\r\n") if own else changed


def _set(text: str, node: yaml.Node, place: tuple[str, ...], value: Any) -> str:
    if not isinstance(node, yaml.MappingNode):
        raise yaml.YAMLError(f"{place[0]}: stands below no mapping")
    found = next((each for key, each in node.value if key.value == place[0]), None)
    if found is None:
        return _added(text, node, place, value)
    if len(place) > 1 and isinstance(found, yaml.MappingNode):
        return _set(text, found, place[1:], value)
    if value is None and isinstance(found, yaml.MappingNode):
        return _emptied(text, found)
    if not isinstance(found, yaml.ScalarNode):
        raise yaml.YAMLError(f"{place[0]}: holds several values")
    if len(place) > 1 and not _is_null(found):
        raise yaml.YAMLError(f"{place[0]}: holds a value, not a mapping")
    return _replaced(text, found, _nested(place[1:], value))


def _emptied(text: str, old: yaml.MappingNode) -> str:
    """Put null in the place of a mapping, which goes with its comments."""
    start, end = old.start_mark.index, old.end_mark.index
    if old.flow_style:
        return f"{text[:start]}null{text[end:]}"
    before = text[:start].rstrip()
    before = f"{before} " if before.endswith(":") else text[:start]  # or a comment stands there
    rest = text[_end_of(text, old) :]
    return f"{before}null{'' if rest.startswith(chr(10)) else chr(10)}{rest}"


def _replaced(text: str, old: yaml.ScalarNode, value: Any) -> str:
    start, end = old.start_mark.index, old.end_mark.index
    if old.style in ("|", ">"):  # its mark stands behind the line end
        end -= len(text[start:end]) - len(text[start:end].rstrip())
    blank = "" if text[start - 1 : start].isspace() else " "
    return text[:start] + blank + _flow(value) + text[end:]


def _added(text: str, node: yaml.MappingNode, place: tuple[str, ...], value: Any) -> str:
    if node.flow_style:
        end = node.end_mark.index - 1
        comma = ", " if node.value else ""
        return text[:end].rstrip() + comma + _line(place, value) + text[end:]
    indent = " " * node.start_mark.column
    end = _end_of(text, node)
    before = text[:end] if text[:end].endswith("\n") else text[:end] + "\n"
    return f"{before}{indent}{_line(place, value)}\n{text[end:].removeprefix(chr(10))}"


def _end_of(text: str, node: yaml.Node) -> int:
    """Return where the line ends on which the last value of a mapping stands."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    end = node.end_mark.index
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        return end
    line_end = text.find("\n", end)
    return len(text) if line_end < 0 else line_end


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _line(place: tuple[str, ...], value: Any) -> str:
    return f"{_flow(place[0])}: {_flow(_nested(place[1:], value))}"


def _nested(place: tuple[str, ...], value: Any) -> Any:
    return {place[0]: _nested(place[1:], value)} if place else value


def _flow(value: Any) -> str:
    """Write a value on one line, as it may stand anywhere, also in braces."""
    shown = yaml.safe_dump([value], default_flow_style=True, allow_unicode=True, width=10**6)
    return str(shown).strip()[1:-1]
