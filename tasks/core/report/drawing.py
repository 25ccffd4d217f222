"""The one module that knows vl-convert: Vega's script for pages, and pictures without a browser."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

from tasks.core.files import write_text

WHOLE = "window.vegaEmbed = vegaEmbed;"  # what a page calls


def script(cache: Path) -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script of 0.9 MB that needs nothing else.

    cache: a folder that keeps it under the version of vl-convert: putting it together takes 6 s.
    """
    import vl_convert

    kept = cache / f"vega-{version('vl-convert-python')}.js"
    if not kept.is_file():
        write_text(kept, vl_convert.javascript_bundle(WHOLE))
    return kept.read_text("utf-8")


def png(spec: dict[str, Any]) -> bytes:
    """Return a Vega-Lite specification as a picture."""
    import vl_convert

    made: bytes = vl_convert.vegalite_to_png(spec, scale=1.25)
    return made
