"""The one module that knows vl-convert: Vega's script for pages, and pictures without a browser."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tasks.core.text.brief import first_line
from tasks.core.text.characters import for_label
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import write_text

WHOLE = "window.vegaEmbed = vegaEmbed;"  # what a page calls


def script(cache: Path | None) -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script of 0.9 MB that needs nothing else.

    cache: a folder that keeps it under the version of vl-convert: putting it together takes 6 s.
    What lies there becomes a part of the page as it is.
    """
    import vl_convert

    if cache is None:
        return str(vl_convert.javascript_bundle(WHOLE))
    kept = cache / f"vega-{version('vl-convert-python')}.js"
    if not kept.is_file():
        write_text(kept, vl_convert.javascript_bundle(WHOLE))
    return kept.read_text("utf-8")


def png(spec: Mapping[str, object]) -> bytes:
    """Return a Vega-Lite specification as a picture; InputError where it cannot be drawn."""
    import vl_convert

    try:
        made: bytes = vl_convert.vegalite_to_png(_drawable(spec), scale=1.25)
    except BaseException as error:  # a panic of the renderer derives from it, and from nothing else
        if type(error).__name__ not in ("PanicException", "ValueError"):
            raise
        raise InputError(
            f"report: the picture cannot be drawn ({first_line(error)}); look for odd characters in"
            " the labels, or report it"
        ) from error
    return made


def _drawable(value: Any) -> Any:
    """Return a specification without the characters that no picture may hold."""
    if isinstance(value, dict):
        return {_drawable(key): _drawable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_drawable(each) for each in value]
    return for_label(value) if isinstance(value, str) else value
