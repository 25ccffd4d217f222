"""What can be asked, on a page made of the OpenAPI description, whole and without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

router = APIRouter(include_in_schema=False)
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Refract: what can be asked</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head><body><main>
<h1>What can be asked</h1>
<p>{about} For programs: <a href="/openapi.json">/openapi.json</a>, and the header
<code>Authorization: Bearer TOKEN</code>.</p>
{routes}
</main></body></html>
"""


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """Show what can be asked."""
    described: dict[str, Any] = request.app.openapi()
    routes = "\n".join(
        _route(method.upper(), path, about)
        for path, methods in described["paths"].items()
        for method, about in methods.items()
    )
    return HTMLResponse(_PAGE.format(about=escape(described["info"]["description"]), routes=routes))


def _route(method: str, path: str, about: dict[str, Any]) -> str:
    told = escape(about.get("description", ""))
    asked = "".join(_asked(about))
    table = f"<table><tr><th>name<th>is<th>says</tr>{asked}</table>" if asked else ""
    return (
        f"<section><h2><code>{escape(f'{method} {path}')}</code></h2><p>{told}</p>{table}</section>"
    )


def _asked(about: dict[str, Any]) -> Iterator[str]:
    for one in about.get("parameters", []):
        yield _row(one["name"], one["schema"], one.get("description", ""), one.get("required"))
    for content in about.get("requestBody", {}).get("content", {}).values():
        yield _row("body", content["schema"], "", about["requestBody"].get("required"))


def _row(name: str, schema: dict[str, Any], told: str, needed: bool | None) -> str:
    kind = _kind(schema) + ("" if needed else ", may be left out")
    if "default" in schema:
        kind += f" ({schema['default']})"
    return f"<tr><td><code>{escape(name)}</code><td>{escape(kind)}<td>{escape(told)}</tr>"


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "anyOf" in schema:
        return " | ".join(_kind(each) for each in schema["anyOf"] if each.get("type") != "null")
    if schema.get("type") == "array":
        return f"{_kind(schema['items'])}, may be repeated"
    bounds = [f"{word} {schema[key]}" for key, word in _BOUNDS.items() if key in schema]
    return " ".join([str(schema.get("type", "anything")), *bounds])


_BOUNDS = {"minimum": "from", "maximum": "to"}
