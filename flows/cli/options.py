"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from flows.runtime.environment import settle_home
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.user_state import SCHEME

READ = ("search", "similar", "report", "export", "evaluate", "suggest", "doubts", "trust")


class Folder(click.ParamType[Path]):
    """A path below which a workspace lies, or may lie."""

    name = "folder"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path that was typed."""
        return Path(value)


class Root(Folder):
    """A workspace; whoever has no home is given one in it before anything asks for it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the root that was typed, once there is a home; of a store's URL, its mirror."""
        root = super().convert(value, param, ctx)
        settle_home()
        return _mirrored(value, ctx) if str(value).startswith(SCHEME) else root


def _mirrored(url: str, ctx: click.Context | None) -> Path:
    verb = None if ctx is None else ctx.info_name
    if verb not in READ:
        raise InputError(
            f"refract {verb}: found --root {SCHEME}…, which is for reading; expected the folder of"
            f" the workspace; with the URL of a store there are: {', '.join(READ)}"
        )
    from flows.stores.mirror import mirror

    return mirror(url)


root_option = click.option(
    "--root", type=Root(), default=".", show_default=True, help="Folder of the workspace."
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
