"""The page and its files, and nothing beside them: a name that is none of theirs leads nowhere."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fastapi import APIRouter, HTTPException, Response

router = APIRouter(include_in_schema=False)
_PAGE = Path(__file__).parents[1] / "page"
_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
}


@router.get("/")
async def page() -> Response:
    """Show the page."""
    return _file("index.html")


@router.get("/page/{name:path}")
async def file(name: str) -> Response:
    """Give a file of the page."""
    return _file(name)


def _file(name: str) -> Response:
    """Return a file; they are small, so that it is read here and now, while others wait."""
    path = _files().get(name)
    if path is None:
        raise HTTPException(404, "found no file of this name; expected one of the page")
    return Response(path.read_bytes(), media_type=_KINDS[path.suffix])


@cache
def _files() -> dict[str, Path]:
    found = (file for file in sorted(_PAGE.rglob("*")) if file.suffix in _KINDS)
    return {file.relative_to(_PAGE).as_posix(): file for file in found if file.is_file()}
