"""The help of the command line: verbs in groups, each with its whole summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click


class GroupedVerbs(click.Group):
    """A group of commands whose help lists them below headings, in the order they are given."""

    def __init__(self, *args: Any, headings: Mapping[str, Sequence[click.Command]], **more: Any):
        """Add all commands of `headings`."""
        super().__init__(*args, **more)
        self._headings = headings
        for commands in headings.values():
            for command in commands:
                self.add_command(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one section a heading; the first sentence of a verb's help is never cut."""
        widest = max(len(name) for name in self.commands)
        for heading, commands in self._headings.items():
            rows = [(f"{command.name:<{widest}}", _summary(command)) for command in commands]
            with formatter.section(heading):
                formatter.write_dl(rows)


def _summary(command: click.Command) -> str:
    return command.get_short_help_str(limit=1_000)
