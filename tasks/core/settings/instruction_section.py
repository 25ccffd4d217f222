"""What params.yaml says of one instruction: its wording, or more of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from tasks.core.settings.section import Section


class Instruction(Section):
    """An instruction: a wording alone, or a mapping of these keys."""

    wording: Annotated[
        str | None, Field(description="wording; null: that of its label card, or its name")
    ] = None
    column: Annotated[
        str | None,
        Field(min_length=1, description="column of the documents that holds labels; null: none"),
    ] = None
    materialise: Annotated[
        Literal["full", "lazy"] | None, Field(description="full or lazy; null: materialise.mode")
    ] = None

    def plain(self) -> str | dict[str, str]:
        """Return it as it is written in params.yaml."""
        given = {name: value for name, value in self if value is not None}
        return given["wording"] if list(given) == ["wording"] else given


def _from_wording(value: Any) -> Any:
    if isinstance(value, str):
        return Instruction(wording=value)
    if isinstance(value, dict | Instruction):
        return value
    raise ValueError(
        "must be a valid string, or a mapping with 'column', 'materialise' or 'wording'"
    )


Instructions = dict[str, Annotated[Instruction, BeforeValidator(_from_wording)]]
