"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


class Folder(click.ParamType[Path]):
    """A path below which a workspace lies, or may lie."""

    name = "folder"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        return Path(value)


root_option = click.option(
    "--root", type=Folder(), default=".", show_default=True, help="Folder of the workspace."
)
