"""What params.yaml says of one instruction: its wording, or more of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from tasks.core.settings.methods import Method
from tasks.core.settings.section import Section
from tasks.core.workspace.instruction_name import check_name

MOST = 8  # aspects that one view is without: each takes some dimensions of its vectors


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
    method: Annotated[
        Method | None, Field(description="kind of its transform; null: fit.method")
    ] = None
    without: Annotated[
        tuple[str, ...],
        Field(max_length=MOST, description="aspects with labels that the view is to be without"),
    ] = ()

    @field_validator("without")
    @classmethod
    def _aspects(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            check_name(name)
        if len(set(value)) < len(value):
            raise ValueError("an aspect is named twice; name each once")
        return value

    def plain(self) -> str | dict[str, str | list[str]]:
        """Return it as it is written in params.yaml."""
        given = self.model_dump(mode="json", exclude_defaults=True)
        wording: str | dict[str, str | list[str]] = given.get("wording", given)
        return wording if list(given) == ["wording"] else given


def _from_wording(value: Any) -> Any:
    if isinstance(value, str):
        return Instruction(wording=value)
    if isinstance(value, dict | Instruction):
        return value
    raise ValueError(
        "must be a valid string, or a mapping with 'column', 'materialise', 'method', 'without' or"
        " 'wording'"
    )


Instructions = dict[str, Annotated[Instruction, BeforeValidator(_from_wording)]]
