"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from flows.runtime.environment import settle_home


class Folder(click.ParamType[Path]):
    """A path below which a workspace lies, or may lie."""

    name = "folder"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path that was typed."""
        return Path(value)


class Root(Folder):
    """A workspace; whoever has no home is given one in it before anything asks for it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the root that was typed, once there is a home."""
        root = super().convert(value, param, ctx)
        settle_home()
        return root


root_option = click.option(
    "--root", type=Root(), default=".", show_default=True, help="Folder of the workspace."
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
